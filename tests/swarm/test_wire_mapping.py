"""Every value survives the wire; what exceeds a bound or isn't a message does not become one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skilllite_swarm import wire_mapping as mapping
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

text = st.text(st.characters(codec="utf-8"), max_size=100)
name = st.text(st.characters(codec="utf-8"), min_size=1, max_size=100)
uint32 = st.integers(0, 2**32 - 1)
uint64 = st.integers(0, 2**64 - 1)
root = st.binary(min_size=32, max_size=32)
addresses = st.lists(text, max_size=mapping.ADDRESSES_MAX).map(tuple)

errors = st.builds(TaskError, code=name, message=text, hint=text)
outputs = st.none() | st.text(st.characters(codec="utf-8"), min_size=1)
refusals = st.builds(Refused, error=errors, retry_after_ms=uint32)
results = st.builds(Result, output_json=outputs, text=text, duration_ms=uint32)
failures = st.builds(Failed, error=errors, output_json=outputs, text=text, duration_ms=uint32)
terminals = refusals | results | failures
events = (
    st.builds(Accepted, queue_position=uint32)
    | st.builds(Started, digest=text)
    | st.builds(Progress, percent=st.integers(0, 100), message=text)
    | st.builds(Log, line=text)
    | terminals
)
heads = st.builds(CatalogueHead, epoch=uint64, sequence=uint64, root=st.just(b"") | root)
loads = st.builds(Load, running=uint32, queued=uint32, capacity=uint32, leaving=st.booleans())
infos = st.builds(
    NodeInfo,
    node_id=name,
    name=text,
    epoch=uint64,
    protocol_min=uint32,
    protocol_max=uint32,
    addresses=addresses,
    signing_key=root,
    signing_key_proof=st.binary(max_size=mapping.SIGNATURE_BYTES_MAX),
    version=text,
    holds_ca=st.booleans(),
)
skills = st.builds(
    SkillEntry,
    name=name,
    description=text,
    digest=text,
    language=text,
    idempotent=st.booleans(),
    lacks=st.lists(text, max_size=3).map(tuple),
)
catalogues = st.builds(
    Catalogue,
    head=heads,
    signature=st.binary(max_size=64),
    skills=st.lists(skills, max_size=3).map(tuple),
)
requests = st.builds(
    RunRequest,
    task_id=name,
    attempt=uint32,
    skill=name,
    input_json=text,
    deadline_ms=uint32,
    via=st.lists(name, max_size=3).map(tuple),
)


@given(infos)
def test_node_info_survives(info: NodeInfo) -> None:
    data = mapping.node_info_to_wire(info).SerializeToString()

    assert mapping.node_info_from_wire(mapping.parse(node_pb2.NodeInfo, data)) == info


@given(loads, heads, st.booleans())
def test_pong_survives(load: Load, head: CatalogueHead, draining: bool) -> None:
    pong = Pong(load, head, draining)
    data = mapping.pong_to_wire(pong, 7).SerializeToString()

    assert mapping.pong_from_wire(mapping.parse(node_pb2.PingReply, data)) == pong


@given(st.none() | catalogues)
def test_catalogue_survives(catalogue: Catalogue | None) -> None:
    data = mapping.catalogue_to_wire(catalogue).SerializeToString()

    got = mapping.catalogue_from_wire(mapping.parse(node_pb2.GetCatalogueReply, data))
    assert got == catalogue


@given(requests)
def test_run_request_survives(request: RunRequest) -> None:
    data = mapping.run_request_to_wire(request).SerializeToString()

    assert mapping.run_request_from_wire(mapping.parse(task_pb2.RunRequest, data)) == request


@given(events)
def test_run_event_survives(event: RunEvent) -> None:
    data = mapping.run_event_to_wire(event).SerializeToString()

    assert mapping.run_event_from_wire(mapping.parse(task_pb2.RunEvent, data)) == event


@given(
    st.sampled_from([AttemptState.UNKNOWN, AttemptState.ACCEPTED, AttemptState.RUNNING]).map(
        AttemptStatus
    )
    | terminals.map(lambda terminal: AttemptStatus(AttemptState.ENDED, terminal))
)
def test_status_survives(status: AttemptStatus) -> None:
    data = mapping.status_to_wire(status).SerializeToString()

    assert mapping.status_from_wire(mapping.parse(task_pb2.StatusReply, data)) == status


@given(st.binary(max_size=200))
def test_any_bytes_become_a_value_or_are_called_malformed(data: bytes) -> None:
    for read in (
        lambda: mapping.node_info_from_wire(mapping.parse(node_pb2.NodeInfo, data)),
        lambda: mapping.catalogue_from_wire(mapping.parse(node_pb2.GetCatalogueReply, data)),
        lambda: mapping.pong_from_wire(mapping.parse(node_pb2.PingReply, data)),
        lambda: mapping.run_request_from_wire(mapping.parse(task_pb2.RunRequest, data)),
        lambda: mapping.run_event_from_wire(mapping.parse(task_pb2.RunEvent, data)),
        lambda: mapping.status_from_wire(mapping.parse(task_pb2.StatusReply, data)),
    ):
        try:
            read()
        except mapping.MalformedMessage as error:
            assert str(error)


def test_output_that_is_not_utf8_travels_replaced() -> None:
    event = mapping.run_event_to_wire(Log("caf\udce9"))

    assert mapping.run_event_from_wire(event) == Log("caf?")


def test_an_event_of_a_newer_node_is_ignored() -> None:
    artifact = bytes([8 << 3 | 2, 1, 65])  # field 8, one byte

    assert mapping.run_event_from_wire(mapping.parse(task_pb2.RunEvent, artifact)) is None


def test_what_a_peer_says_to_people_is_cut_to_its_bound() -> None:
    long = "x" * 1_000_000

    def received(event: RunEvent) -> RunEvent | None:
        return mapping.run_event_from_wire(mapping.run_event_to_wire(event))

    error = TaskError("c", "x" * ERROR_CHARS_MAX, "x" * ERROR_CHARS_MAX)
    assert received(Failed(TaskError("c", long, long))) == Failed(error)
    assert received(Refused(TaskError("c", long, long))) == Refused(error)
    assert received(Log(long)) == Log("x" * LINE_CHARS_MAX)
    assert received(Progress(1, long)) == Progress(1, "x" * LINE_CHARS_MAX)


def test_addresses_and_hints_beyond_the_bound_are_ignored() -> None:
    many = tuple(f"10.0.0.{n}:1" for n in range(50))
    hints = mapping.hints_to_wire(PeerHint(f"n{n}", ("x" * 5000, *many)) for n in range(1000))

    got = mapping.hints_from_wire(hints)

    assert len(got) == mapping.HINTS_MAX
    assert got[0].addresses == many[: mapping.ADDRESSES_MAX]


@pytest.mark.parametrize(
    "request_",
    [
        task_pb2.RunRequest(skill="s"),
        task_pb2.RunRequest(task_id="t"),
        task_pb2.RunRequest(task_id="t" * 1000, skill="s"),
        task_pb2.RunRequest(task_id="t", skill="s", via=["n"] * 17),
        task_pb2.RunRequest(task_id="t", skill="s", input_json=b"\xff"),
        task_pb2.RunRequest(task_id="t", skill="s", input_json=b" " * (INPUT_BYTES_MAX + 1)),
    ],
)
def test_a_request_out_of_bounds_is_malformed(request_: task_pb2.RunRequest) -> None:
    with pytest.raises(mapping.MalformedMessage):
        mapping.run_request_from_wire(request_)


@pytest.mark.parametrize(
    "status",
    [
        task_pb2.StatusReply(),
        task_pb2.StatusReply(state=task_pb2.StatusReply.STATE_ENDED),
        task_pb2.StatusReply(
            state=task_pb2.StatusReply.STATE_RUNNING,
            terminal=task_pb2.RunEvent(result=task_pb2.Result()),
        ),
        task_pb2.StatusReply(
            state=task_pb2.StatusReply.STATE_ENDED,
            terminal=task_pb2.RunEvent(log=task_pb2.Log(line="x")),
        ),
    ],
)
def test_a_status_that_contradicts_itself_is_malformed(status: task_pb2.StatusReply) -> None:
    with pytest.raises(mapping.MalformedMessage):
        mapping.status_from_wire(status)
