from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class JoinStartRequest(_message.Message):
    __slots__ = ("window", "spake_message", "public_key")
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    SPAKE_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    window: int
    spake_message: bytes
    public_key: bytes
    def __init__(self, window: _Optional[int] = ..., spake_message: _Optional[bytes] = ..., public_key: _Optional[bytes] = ...) -> None: ...

class JoinStartReply(_message.Message):
    __slots__ = ("session", "spake_message", "confirmation")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    SPAKE_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CONFIRMATION_FIELD_NUMBER: _ClassVar[int]
    session: bytes
    spake_message: bytes
    confirmation: bytes
    def __init__(self, session: _Optional[bytes] = ..., spake_message: _Optional[bytes] = ..., confirmation: _Optional[bytes] = ...) -> None: ...

class JoinConfirmRequest(_message.Message):
    __slots__ = ("session", "confirmation", "sealed")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    CONFIRMATION_FIELD_NUMBER: _ClassVar[int]
    SEALED_FIELD_NUMBER: _ClassVar[int]
    session: bytes
    confirmation: bytes
    sealed: bytes
    def __init__(self, session: _Optional[bytes] = ..., confirmation: _Optional[bytes] = ..., sealed: _Optional[bytes] = ...) -> None: ...

class JoinConfirmReply(_message.Message):
    __slots__ = ("sealed",)
    SEALED_FIELD_NUMBER: _ClassVar[int]
    sealed: bytes
    def __init__(self, sealed: _Optional[bytes] = ...) -> None: ...

class JoinRequestBody(_message.Message):
    __slots__ = ("csr_der", "name")
    CSR_DER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    csr_der: bytes
    name: str
    def __init__(self, csr_der: _Optional[bytes] = ..., name: _Optional[str] = ...) -> None: ...

class JoinReplyBody(_message.Message):
    __slots__ = ("leaf_der", "ca_der", "members")
    LEAF_DER_FIELD_NUMBER: _ClassVar[int]
    CA_DER_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    leaf_der: bytes
    ca_der: bytes
    members: _containers.RepeatedCompositeFieldContainer[JoinMember]
    def __init__(self, leaf_der: _Optional[bytes] = ..., ca_der: _Optional[bytes] = ..., members: _Optional[_Iterable[_Union[JoinMember, _Mapping]]] = ...) -> None: ...

class JoinMember(_message.Message):
    __slots__ = ("node_id", "name", "addresses")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    name: str
    addresses: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, node_id: _Optional[str] = ..., name: _Optional[str] = ..., addresses: _Optional[_Iterable[str]] = ...) -> None: ...
