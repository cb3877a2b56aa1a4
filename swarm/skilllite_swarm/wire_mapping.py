"""Values of the swarm to messages and back; what a peer sent becomes a value only within bounds.

Messages say nothing about who sent them: whether a claim is true is decided above, with the
certificate of the connection. Unknown fields and unknown events of newer peers are ignored.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from skilllite_swarm.task import (
    ERROR_CHARS_MAX,
    INPUT_BYTES_MAX,
    LINE_CHARS_MAX,
    Accepted,
    AttemptState,
    AttemptStatus,
    Failed,
    Log,
    Progress,
    Refused,
    Result,
    RunEvent,
    RunRequest,
    Started,
    TaskError,
)
from skilllite_swarm.transport import (
    Catalogue,
    CatalogueHead,
    Load,
    NodeInfo,
    PeerHint,
    Pong,
    SkillEntry,
)
from skilllite_swarm.wire import node_pb2, task_pb2

M = TypeVar("M", bound=Message)

ID_CHARS_MAX = 128
"""Node and task ids; ours have 52 and 32 characters."""

NAME_CHARS_MAX = 256
"""Names of nodes and skills, versions, digests."""

ADDRESSES_MAX = 16
"""Addresses of one node; more are ignored."""

ADDRESS_CHARS_MAX = 300
"""A DNS name has at most 253 characters; longer addresses are ignored."""

HINTS_MAX = 256
"""Members that one Hello may name; more are ignored."""

VIA_MAX = 16
"""Longest path that is read at all; the executor refuses far shorter ones."""

SIGNING_KEY_BYTES = 32
SIGNATURE_BYTES_MAX = 256
DEVICE_KEY_BYTES_MAX = 256
ROOT_BYTES = 32

_UINT32_MAX = 2**32 - 1


class MalformedMessage(ValueError):
    """The bytes are not a message of this contract, or exceed a bound."""


def parse(kind: type[M], data: bytes) -> M:
    """Read a message from untrusted bytes, or raise `MalformedMessage`."""
    try:
        return kind.FromString(data)
    except DecodeError:
        raise MalformedMessage(f"not a {kind.DESCRIPTOR.name}") from None


def _bounded(field: str, text: str, chars_max: int = NAME_CHARS_MAX) -> str:
    if len(text) > chars_max:
        raise MalformedMessage(f"{field} has more than {chars_max} characters")
    return text


def _required(field: str, text: str) -> str:
    if not text:
        raise MalformedMessage(f"{field} is missing")
    return _bounded(field, text, ID_CHARS_MAX)


def _utf8(field: str, data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedMessage(f"{field} is not UTF-8") from None


def _sendable(text: str) -> str:
    """Replace what UTF-8 can't carry: output of a program must not break the call it travels in."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _uint32(number: int) -> int:
    return max(0, min(number, _UINT32_MAX))


def _addresses(addresses: Iterable[str]) -> tuple[str, ...]:
    fitting = [address for address in addresses if len(address) <= ADDRESS_CHARS_MAX]
    return tuple(fitting[:ADDRESSES_MAX])


# Node


def node_info_to_wire(info: NodeInfo) -> node_pb2.NodeInfo:
    return node_pb2.NodeInfo(
        node_id=info.node_id,
        name=info.name,
        epoch=info.epoch,
        protocol_min=info.protocol_min,
        protocol_max=info.protocol_max,
        addresses=info.addresses,
        signing_key=info.signing_key,
        signing_key_proof=info.signing_key_proof,
        version=info.version,
        holds_ca=info.holds_ca,
        device_key=info.device_key,
    )


def node_info_from_wire(wire: node_pb2.NodeInfo) -> NodeInfo:
    if len(wire.signing_key) != SIGNING_KEY_BYTES:
        raise MalformedMessage(f"signing_key has not {SIGNING_KEY_BYTES} bytes")
    if len(wire.signing_key_proof) > SIGNATURE_BYTES_MAX:
        raise MalformedMessage(f"signing_key_proof has more than {SIGNATURE_BYTES_MAX} bytes")
    if len(wire.device_key) > DEVICE_KEY_BYTES_MAX:
        raise MalformedMessage(f"device_key has more than {DEVICE_KEY_BYTES_MAX} bytes")
    return NodeInfo(
        node_id=_required("node_id", wire.node_id),
        name=_bounded("name", wire.name),
        epoch=wire.epoch,
        protocol_min=wire.protocol_min,
        protocol_max=wire.protocol_max,
        addresses=_addresses(wire.addresses),
        signing_key=wire.signing_key,
        signing_key_proof=wire.signing_key_proof,
        version=_bounded("version", wire.version),
        holds_ca=wire.holds_ca,
        device_key=wire.device_key,
    )


def hints_to_wire(hints: Iterable[PeerHint]) -> list[node_pb2.PeerHint]:
    return [node_pb2.PeerHint(node_id=hint.node_id, addresses=hint.addresses) for hint in hints]


def hints_from_wire(wire: Iterable[node_pb2.PeerHint]) -> tuple[PeerHint, ...]:
    hints = [
        PeerHint(_required("node_id", hint.node_id), _addresses(hint.addresses))
        for _, hint in zip(range(HINTS_MAX), wire, strict=False)
    ]
    return tuple(hints)


def load_to_wire(load: Load) -> node_pb2.Load:
    return node_pb2.Load(
        running=_uint32(load.running),
        queued=_uint32(load.queued),
        capacity=_uint32(load.capacity),
        leaving=load.leaving,
    )


def load_from_wire(wire: node_pb2.Load) -> Load:
    return Load(wire.running, wire.queued, wire.capacity, wire.leaving)


def head_to_wire(head: CatalogueHead) -> node_pb2.CatalogueHead:
    return node_pb2.CatalogueHead(epoch=head.epoch, sequence=head.sequence, root=head.root)


def head_from_wire(wire: node_pb2.CatalogueHead) -> CatalogueHead:
    if len(wire.root) not in (0, ROOT_BYTES):
        raise MalformedMessage(f"root has not {ROOT_BYTES} bytes")
    return CatalogueHead(wire.epoch, wire.sequence, wire.root)


def pong_to_wire(pong: Pong, sequence: int) -> node_pb2.PingReply:
    return node_pb2.PingReply(
        sequence=sequence,
        load=load_to_wire(pong.load),
        catalogue=head_to_wire(pong.catalogue),
        draining=pong.draining,
    )


def pong_from_wire(wire: node_pb2.PingReply) -> Pong:
    return Pong(load_from_wire(wire.load), head_from_wire(wire.catalogue), wire.draining)


def catalogue_to_wire(catalogue: Catalogue | None) -> node_pb2.GetCatalogueReply:
    if catalogue is None:
        return node_pb2.GetCatalogueReply(unchanged=True)
    skills = [
        node_pb2.SkillEntry(
            name=entry.name,
            description=entry.description,
            digest=entry.digest,
            language=entry.language,
            idempotent=entry.idempotent,
            lacks=entry.lacks,
        )
        for entry in catalogue.skills
    ]
    return node_pb2.GetCatalogueReply(
        head=head_to_wire(catalogue.head), signature=catalogue.signature, skills=skills
    )


def catalogue_from_wire(wire: node_pb2.GetCatalogueReply) -> Catalogue | None:
    if wire.unchanged:
        return None
    if len(wire.signature) > SIGNATURE_BYTES_MAX:
        raise MalformedMessage(f"signature has more than {SIGNATURE_BYTES_MAX} bytes")
    skills = [
        SkillEntry(
            name=_required("name", entry.name),
            description=entry.description,
            digest=_bounded("digest", entry.digest),
            language=_bounded("language", entry.language),
            idempotent=entry.idempotent,
            lacks=tuple(entry.lacks),
        )
        for entry in wire.skills
    ]
    return Catalogue(head_from_wire(wire.head), wire.signature, tuple(skills))


# Tasks


def run_request_to_wire(request: RunRequest) -> task_pb2.RunRequest:
    return task_pb2.RunRequest(
        task_id=request.task_id,
        attempt=request.attempt,
        skill=request.skill,
        input_json=request.input_json.encode("utf-8", "replace"),
        deadline_ms=_uint32(request.deadline_ms),
        via=request.via,
    )


def run_request_from_wire(wire: task_pb2.RunRequest) -> RunRequest:
    if len(wire.input_json) > INPUT_BYTES_MAX:
        raise MalformedMessage(f"input_json has more than {INPUT_BYTES_MAX} bytes")
    if len(wire.via) > VIA_MAX:
        raise MalformedMessage(f"via names more than {VIA_MAX} nodes")
    return RunRequest(
        task_id=_required("task_id", wire.task_id),
        attempt=wire.attempt,
        skill=_required("skill", wire.skill),
        input_json=_utf8("input_json", wire.input_json),
        deadline_ms=wire.deadline_ms,
        via=tuple(_required("via", node_id) for node_id in wire.via),
    )


def task_key_from_wire(wire: task_pb2.CancelRequest | task_pb2.StatusRequest) -> tuple[str, int]:
    return _required("task_id", wire.task_id), wire.attempt


def _error_to_wire(error: TaskError) -> task_pb2.Error:
    return task_pb2.Error(
        code=error.code, message=_sendable(error.message), hint=_sendable(error.hint)
    )


def _error_from_wire(wire: task_pb2.Error) -> TaskError:
    message, hint = wire.message[:ERROR_CHARS_MAX], wire.hint[:ERROR_CHARS_MAX]
    return TaskError(_required("code", wire.code), message, hint)


def _output_to_wire(output_json: str | None) -> bytes:
    # No JSON value is empty, so the empty string is free to mean "none".
    return (output_json or "").encode("utf-8", "replace")


def _output_from_wire(output_json: bytes) -> str | None:
    return _utf8("output_json", output_json) if output_json else None


def run_event_to_wire(event: RunEvent) -> task_pb2.RunEvent:
    match event:
        case Accepted(position):
            accepted = task_pb2.Accepted(queue_position=_uint32(position))
            return task_pb2.RunEvent(accepted=accepted)
        case Refused(error, retry_after_ms):
            refused = task_pb2.Refused(
                error=_error_to_wire(error), retry_after_ms=_uint32(retry_after_ms)
            )
            return task_pb2.RunEvent(refused=refused)
        case Started(digest):
            return task_pb2.RunEvent(started=task_pb2.Started(digest=digest))
        case Progress(percent, message):
            progress = task_pb2.Progress(percent=_uint32(percent), message=_sendable(message))
            return task_pb2.RunEvent(progress=progress)
        case Log(line):
            return task_pb2.RunEvent(log=task_pb2.Log(line=_sendable(line)))
        case Result(output_json, text, duration_ms):
            result = task_pb2.Result(
                output_json=_output_to_wire(output_json),
                text=_sendable(text),
                duration_ms=_uint32(duration_ms),
            )
            return task_pb2.RunEvent(result=result)
        case Failed(error, output_json, text, duration_ms):
            failed = task_pb2.Failed(
                error=_error_to_wire(error),
                output_json=_output_to_wire(output_json),
                text=_sendable(text),
                duration_ms=_uint32(duration_ms),
            )
            return task_pb2.RunEvent(failed=failed)


def run_event_from_wire(wire: task_pb2.RunEvent) -> RunEvent | None:
    """Return None for an event that only newer nodes know."""
    match wire.WhichOneof("event"):
        case "accepted":
            return Accepted(wire.accepted.queue_position)
        case "refused":
            return Refused(_error_from_wire(wire.refused.error), wire.refused.retry_after_ms)
        case "started":
            return Started(_bounded("digest", wire.started.digest))
        case "progress":
            percent = min(wire.progress.percent, 100)
            return Progress(percent, wire.progress.message[:LINE_CHARS_MAX])
        case "log":
            return Log(wire.log.line[:LINE_CHARS_MAX])
        case "result":
            output = _output_from_wire(wire.result.output_json)
            return Result(output, wire.result.text, wire.result.duration_ms)
        case "failed":
            return Failed(
                _error_from_wire(wire.failed.error),
                _output_from_wire(wire.failed.output_json),
                wire.failed.text,
                wire.failed.duration_ms,
            )
    return None


_STATES = {
    AttemptState.UNKNOWN: task_pb2.StatusReply.STATE_UNKNOWN,
    AttemptState.ACCEPTED: task_pb2.StatusReply.STATE_ACCEPTED,
    AttemptState.RUNNING: task_pb2.StatusReply.STATE_RUNNING,
    AttemptState.ENDED: task_pb2.StatusReply.STATE_ENDED,
}
_STATES_FROM_WIRE = {number: state for state, number in _STATES.items()}


def status_to_wire(status: AttemptStatus) -> task_pb2.StatusReply:
    terminal = None if status.terminal is None else run_event_to_wire(status.terminal)
    return task_pb2.StatusReply(state=_STATES[status.state], terminal=terminal)


def status_from_wire(wire: task_pb2.StatusReply) -> AttemptStatus:
    state = _STATES_FROM_WIRE.get(wire.state)
    if state is None:
        raise MalformedMessage(f"state {wire.state} is not known")
    terminal = run_event_from_wire(wire.terminal) if wire.HasField("terminal") else None
    if terminal is not None and not isinstance(terminal, Refused | Result | Failed):
        raise MalformedMessage("the terminal event is not terminal")
    if (state is AttemptState.ENDED) != (terminal is not None):
        raise MalformedMessage("an attempt has a terminal event exactly when it has ended")
    return AttemptStatus(state, terminal)
