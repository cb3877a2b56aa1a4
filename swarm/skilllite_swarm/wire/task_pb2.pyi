from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RunRequest(_message.Message):
    __slots__ = ("task_id", "attempt", "skill", "input_json", "deadline_ms", "via")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    SKILL_FIELD_NUMBER: _ClassVar[int]
    INPUT_JSON_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    VIA_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    attempt: int
    skill: str
    input_json: bytes
    deadline_ms: int
    via: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, task_id: _Optional[str] = ..., attempt: _Optional[int] = ..., skill: _Optional[str] = ..., input_json: _Optional[bytes] = ..., deadline_ms: _Optional[int] = ..., via: _Optional[_Iterable[str]] = ...) -> None: ...

class RunEvent(_message.Message):
    __slots__ = ("accepted", "refused", "started", "progress", "log", "result", "failed")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    LOG_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    accepted: Accepted
    refused: Refused
    started: Started
    progress: Progress
    log: Log
    result: Result
    failed: Failed
    def __init__(self, accepted: _Optional[_Union[Accepted, _Mapping]] = ..., refused: _Optional[_Union[Refused, _Mapping]] = ..., started: _Optional[_Union[Started, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., log: _Optional[_Union[Log, _Mapping]] = ..., result: _Optional[_Union[Result, _Mapping]] = ..., failed: _Optional[_Union[Failed, _Mapping]] = ...) -> None: ...

class Accepted(_message.Message):
    __slots__ = ("queue_position",)
    QUEUE_POSITION_FIELD_NUMBER: _ClassVar[int]
    queue_position: int
    def __init__(self, queue_position: _Optional[int] = ...) -> None: ...

class Refused(_message.Message):
    __slots__ = ("error", "retry_after_ms")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    error: Error
    retry_after_ms: int
    def __init__(self, error: _Optional[_Union[Error, _Mapping]] = ..., retry_after_ms: _Optional[int] = ...) -> None: ...

class Started(_message.Message):
    __slots__ = ("digest",)
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    digest: str
    def __init__(self, digest: _Optional[str] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("percent", "message")
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    percent: int
    message: str
    def __init__(self, percent: _Optional[int] = ..., message: _Optional[str] = ...) -> None: ...

class Log(_message.Message):
    __slots__ = ("line",)
    LINE_FIELD_NUMBER: _ClassVar[int]
    line: str
    def __init__(self, line: _Optional[str] = ...) -> None: ...

class Result(_message.Message):
    __slots__ = ("output_json", "text", "duration_ms")
    OUTPUT_JSON_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    output_json: bytes
    text: str
    duration_ms: int
    def __init__(self, output_json: _Optional[bytes] = ..., text: _Optional[str] = ..., duration_ms: _Optional[int] = ...) -> None: ...

class Failed(_message.Message):
    __slots__ = ("error", "output_json", "text", "duration_ms")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_JSON_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    error: Error
    output_json: bytes
    text: str
    duration_ms: int
    def __init__(self, error: _Optional[_Union[Error, _Mapping]] = ..., output_json: _Optional[bytes] = ..., text: _Optional[str] = ..., duration_ms: _Optional[int] = ...) -> None: ...

class Error(_message.Message):
    __slots__ = ("code", "message", "hint")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    hint: str
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ..., hint: _Optional[str] = ...) -> None: ...

class CancelRequest(_message.Message):
    __slots__ = ("task_id", "attempt")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    attempt: int
    def __init__(self, task_id: _Optional[str] = ..., attempt: _Optional[int] = ...) -> None: ...

class CancelReply(_message.Message):
    __slots__ = ("cancelled",)
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    cancelled: bool
    def __init__(self, cancelled: bool = ...) -> None: ...

class StatusRequest(_message.Message):
    __slots__ = ("task_id", "attempt", "fence")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    attempt: int
    fence: bool
    def __init__(self, task_id: _Optional[str] = ..., attempt: _Optional[int] = ..., fence: bool = ...) -> None: ...

class StatusReply(_message.Message):
    __slots__ = ("state", "terminal")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[StatusReply.State]
        STATE_UNKNOWN: _ClassVar[StatusReply.State]
        STATE_ACCEPTED: _ClassVar[StatusReply.State]
        STATE_RUNNING: _ClassVar[StatusReply.State]
        STATE_ENDED: _ClassVar[StatusReply.State]
    STATE_UNSPECIFIED: StatusReply.State
    STATE_UNKNOWN: StatusReply.State
    STATE_ACCEPTED: StatusReply.State
    STATE_RUNNING: StatusReply.State
    STATE_ENDED: StatusReply.State
    STATE_FIELD_NUMBER: _ClassVar[int]
    TERMINAL_FIELD_NUMBER: _ClassVar[int]
    state: StatusReply.State
    terminal: RunEvent
    def __init__(self, state: _Optional[_Union[StatusReply.State, str]] = ..., terminal: _Optional[_Union[RunEvent, _Mapping]] = ...) -> None: ...
