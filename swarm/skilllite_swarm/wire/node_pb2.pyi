from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class NodeInfo(_message.Message):
    __slots__ = ("node_id", "name", "epoch", "protocol_min", "protocol_max", "addresses", "signing_key", "signing_key_proof", "version", "holds_ca", "device_key")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_MIN_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_MAX_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    SIGNING_KEY_FIELD_NUMBER: _ClassVar[int]
    SIGNING_KEY_PROOF_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    HOLDS_CA_FIELD_NUMBER: _ClassVar[int]
    DEVICE_KEY_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    name: str
    epoch: int
    protocol_min: int
    protocol_max: int
    addresses: _containers.RepeatedScalarFieldContainer[str]
    signing_key: bytes
    signing_key_proof: bytes
    version: str
    holds_ca: bool
    device_key: bytes
    def __init__(self, node_id: _Optional[str] = ..., name: _Optional[str] = ..., epoch: _Optional[int] = ..., protocol_min: _Optional[int] = ..., protocol_max: _Optional[int] = ..., addresses: _Optional[_Iterable[str]] = ..., signing_key: _Optional[bytes] = ..., signing_key_proof: _Optional[bytes] = ..., version: _Optional[str] = ..., holds_ca: bool = ..., device_key: _Optional[bytes] = ...) -> None: ...

class HelloRequest(_message.Message):
    __slots__ = ("self",)
    SELF_FIELD_NUMBER: _ClassVar[int]
    self: NodeInfo
    def __init__(self_, self: _Optional[_Union[NodeInfo, _Mapping]] = ...) -> None: ...

class HelloReply(_message.Message):
    __slots__ = ("self", "peers")
    SELF_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    self: NodeInfo
    peers: _containers.RepeatedCompositeFieldContainer[PeerHint]
    def __init__(self_, self: _Optional[_Union[NodeInfo, _Mapping]] = ..., peers: _Optional[_Iterable[_Union[PeerHint, _Mapping]]] = ...) -> None: ...

class PeerHint(_message.Message):
    __slots__ = ("node_id", "addresses")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    addresses: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, node_id: _Optional[str] = ..., addresses: _Optional[_Iterable[str]] = ...) -> None: ...

class PingRequest(_message.Message):
    __slots__ = ("sequence", "load", "catalogue")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LOAD_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    load: Load
    catalogue: CatalogueHead
    def __init__(self, sequence: _Optional[int] = ..., load: _Optional[_Union[Load, _Mapping]] = ..., catalogue: _Optional[_Union[CatalogueHead, _Mapping]] = ...) -> None: ...

class PingReply(_message.Message):
    __slots__ = ("sequence", "load", "catalogue", "draining")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LOAD_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    load: Load
    catalogue: CatalogueHead
    draining: bool
    def __init__(self, sequence: _Optional[int] = ..., load: _Optional[_Union[Load, _Mapping]] = ..., catalogue: _Optional[_Union[CatalogueHead, _Mapping]] = ..., draining: bool = ...) -> None: ...

class Load(_message.Message):
    __slots__ = ("running", "queued", "capacity", "leaving")
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    LEAVING_FIELD_NUMBER: _ClassVar[int]
    running: int
    queued: int
    capacity: int
    leaving: bool
    def __init__(self, running: _Optional[int] = ..., queued: _Optional[int] = ..., capacity: _Optional[int] = ..., leaving: bool = ...) -> None: ...

class CatalogueHead(_message.Message):
    __slots__ = ("epoch", "sequence", "root")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    sequence: int
    root: bytes
    def __init__(self, epoch: _Optional[int] = ..., sequence: _Optional[int] = ..., root: _Optional[bytes] = ...) -> None: ...

class GetCatalogueRequest(_message.Message):
    __slots__ = ("have",)
    HAVE_FIELD_NUMBER: _ClassVar[int]
    have: CatalogueHead
    def __init__(self, have: _Optional[_Union[CatalogueHead, _Mapping]] = ...) -> None: ...

class GetCatalogueReply(_message.Message):
    __slots__ = ("head", "signature", "skills", "unchanged")
    HEAD_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    SKILLS_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    head: CatalogueHead
    signature: bytes
    skills: _containers.RepeatedCompositeFieldContainer[SkillEntry]
    unchanged: bool
    def __init__(self, head: _Optional[_Union[CatalogueHead, _Mapping]] = ..., signature: _Optional[bytes] = ..., skills: _Optional[_Iterable[_Union[SkillEntry, _Mapping]]] = ..., unchanged: bool = ...) -> None: ...

class SkillEntry(_message.Message):
    __slots__ = ("name", "description", "digest", "language", "idempotent", "lacks")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENT_FIELD_NUMBER: _ClassVar[int]
    LACKS_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    digest: str
    language: str
    idempotent: bool
    lacks: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., digest: _Optional[str] = ..., language: _Optional[str] = ..., idempotent: bool = ..., lacks: _Optional[_Iterable[str]] = ...) -> None: ...

class RenewRequest(_message.Message):
    __slots__ = ("csr_der",)
    CSR_DER_FIELD_NUMBER: _ClassVar[int]
    csr_der: bytes
    def __init__(self, csr_der: _Optional[bytes] = ...) -> None: ...

class RenewReply(_message.Message):
    __slots__ = ("leaf_der", "ca_der")
    LEAF_DER_FIELD_NUMBER: _ClassVar[int]
    CA_DER_FIELD_NUMBER: _ClassVar[int]
    leaf_der: bytes
    ca_der: bytes
    def __init__(self, leaf_der: _Optional[bytes] = ..., ca_der: _Optional[bytes] = ...) -> None: ...
