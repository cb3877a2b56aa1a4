"""Tampering before the last sealed head is found, and where it was done is said."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit_log import SIGNER, fill, open_log, verify
from skilllite_sandbox.audit.line import Head, write_line
from skilllite_sandbox.audit.verification import PROBLEMS_MAX, verify_log
from skilllite_sandbox.signing import Ed25519Verifier, FileSigner

MUTATIONS = 1000
SEED = 20261126


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of several files, all of whose lines are sealed."""
    directory = tmp_path_factory.mktemp("sealed") / "audit"
    log = open_log(directory, file_bytes_max=3000)
    fill(log, 40, group=5)
    log.record("consent.given", {"by": "person"}, durable=True)
    fill(log, 20, group=5)
    log.record("skill.installed", {"name": "x"}, durable=True)
    state = verify(directory)
    assert state.ok, state.problems
    assert state.files >= 4 and state.heads >= 2 and state.sealed == state.last
    return directory


@pytest.fixture
def copy(sealed: Path, tmp_path: Path) -> Path:
    """A log of its own to be tampered with."""
    return Path(shutil.copytree(sealed, tmp_path / "audit"))


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def flip(rng: random.Random, lines: list[bytes]) -> tuple[list[bytes], int]:
    at = rng.randrange(len(lines))
    line = bytearray(lines[at])
    line[rng.randrange(len(line))] ^= 1 << rng.randrange(8)
    return [*lines[:at], bytes(line), *lines[at + 1 :]], at


def replace_byte(rng: random.Random, lines: list[bytes]) -> tuple[list[bytes], int]:
    at = rng.randrange(len(lines))
    line = bytearray(lines[at])
    place = rng.randrange(len(line))
    line[place] = (line[place] + rng.randrange(1, 256)) % 256
    return [*lines[:at], bytes(line), *lines[at + 1 :]], at


def insert_byte(rng: random.Random, lines: list[bytes]) -> tuple[list[bytes], int]:
    at = rng.randrange(len(lines))
    place = rng.randrange(len(lines[at]))
    line = lines[at][:place] + bytes([rng.randrange(256)]) + lines[at][place:]
    return [*lines[:at], line, *lines[at + 1 :]], at


def cut_byte(rng: random.Random, lines: list[bytes]) -> tuple[list[bytes], int]:
    at = rng.randrange(len(lines))
    place = rng.randrange(len(lines[at]))
    return [*lines[:at], lines[at][:place] + lines[at][place + 1 :], *lines[at + 1 :]], at


def drop(rng: random.Random, lines: list[bytes]) -> tuple[list[bytes], int]:
    at = rng.randrange(len(lines))
    return lines[:at] + lines[at + 1 :], at


def double(rng: random.Random, lines: list[bytes]) -> tuple[list[bytes], int]:
    at = rng.randrange(len(lines))
    return [*lines[: at + 1], lines[at], *lines[at + 1 :]], at + 1


def swap(rng: random.Random, lines: list[bytes]) -> tuple[list[bytes], int]:
    one, other = sorted(rng.sample(range(len(lines)), 2))
    changed = list(lines)
    changed[one], changed[other] = changed[other], changed[one]
    return changed, one


def invent(rng: random.Random, lines: list[bytes]) -> tuple[list[bytes], int]:
    """Insert a line that is well-formed, has a right hash, and follows the line before it."""
    at = rng.randrange(1, len(lines))
    before = json.loads(lines[at - 1])
    line, _ = write_line(
        Head(before["seq"], before["hash"]), before["time"], "run.ended", {"skill": "invented"}
    )
    return [*lines[:at], line, *lines[at:]], at


def rewrite(rng: random.Random, lines: list[bytes]) -> tuple[list[bytes], int]:
    """Change a fact and give the line its right hash again."""
    at = rng.randrange(len(lines))
    value = json.loads(lines[at])
    line, _ = write_line(
        Head(value["seq"] - 1, value["prev"]), value["time"], value["event"], {"skill": "clean"}
    )
    return [*lines[:at], line, *lines[at + 1 :]], at


CHANGES: list[Callable[[random.Random, list[bytes]], tuple[list[bytes], int]]] = [
    *(flip, flip, replace_byte, insert_byte, cut_byte),
    *(drop, double, swap, invent, rewrite),
]


def test_a_thousand_mutations_are_found_and_located(sealed: Path, tmp_path: Path) -> None:
    rng = random.Random(SEED)
    files = sorted(sealed.glob("*.jsonl"))
    missed: list[str] = []
    for number in range(MUTATIONS):
        victim = rng.choice(files)
        lines = lines_of(victim)
        change = CHANGES[number % len(CHANGES)]
        if len(lines) < 3:
            victim = files[0]
            lines = lines_of(victim)
        changed, at = change(rng, lines)
        if changed == lines:
            continue
        directory = tmp_path / "audit"
        shutil.copytree(sealed, directory)
        (directory / victim.name).write_bytes(b"".join(changed))

        state = verify(directory)

        shutil.rmtree(directory)
        name = change.__name__
        if state.ok:
            missed.append(f"{number}: {name} in {victim.name} line {at + 1} was not found")
            continue
        first = state.problems[0]
        # What follows a line may tell that it is another: then the place is the next line, which
        # of the last line of a file is the first one of the next.
        is_last = at >= len(changed) - 1
        located = first.file == victim.name and at < first.line <= at + 2
        if not located and not (is_last and first.line <= 1):
            missed.append(f"{number}: {name} at line {at + 1} of {victim.name}: {first}")

    assert not missed, "\n".join(missed[:20])


@given(data=st.data())
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_other_bytes_of_a_sealed_file_are_found(sealed: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(path.name for path in sealed.glob("0*"))))
    content = (sealed / name).read_bytes()
    begin = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(begin, min(len(content), begin + 600)))
    changed = content[:begin] + data.draw(st.binary(max_size=60)) + content[end:]
    with tempfile.TemporaryDirectory() as directory:
        shutil.copytree(sealed, f"{directory}/audit")
        (Path(directory) / "audit" / name).write_bytes(changed)

        state = verify(Path(directory) / "audit")

    cut_heads = (
        name.endswith(".heads")
        and content.startswith(changed)
        and (not changed or changed.endswith(b"\n"))
    )
    assert state.ok == (changed == content or cut_heads), (name, begin, end)


# What an attacker who knows the format would do


def test_a_rewritten_history_with_right_hashes_is_another_than_the_one_signed(copy: Path) -> None:

    path = sorted(copy.glob("*.jsonl"))[0]
    head, parts = Head(), []
    for raw in lines_of(path):
        value = json.loads(raw)
        facts = {**value["facts"], "skill": "innocent"}
        part, head = write_line(head, value["time"], value["event"], facts)
        parts.append(part)
    path.write_bytes(b"".join(parts))

    state = verify(copy)

    assert not state.ok


def test_a_whole_rewritten_log_with_right_hashes_is_another_than_the_one_signed(
    copy: Path,
) -> None:

    head = Head()
    for path in sorted(copy.glob("*.jsonl")):
        parts = []
        for raw in lines_of(path):
            value = json.loads(raw)
            part, head = write_line(head, value["time"], value["event"], {"skill": "innocent"})
            parts.append(part)
        path.write_bytes(b"".join(parts))

    state = verify(copy)

    assert [each.what for each in state.problems if "signed" in each.what]
    assert state.sealed == 0


def test_sealed_lines_cut_off_the_end_are_missed(copy: Path) -> None:
    path = sorted(copy.glob("*.jsonl"))[-1]
    lines = lines_of(path)
    path.write_bytes(b"".join(lines[:-1]))

    (problem,) = verify(copy).problems

    assert (problem.file, problem.line) == (path.name, len(lines))
    assert "is missing" in problem.what


def test_a_file_that_is_gone_is_missed(copy: Path) -> None:
    files = sorted(copy.glob("*.jsonl"))
    for path in (files[1], files[0]):
        path.unlink()

        problems = verify(copy).problems

        assert any("missing" in each.what for each in problems), problems


def test_an_oldest_file_that_is_gone_needs_a_line_that_says_so(copy: Path) -> None:
    first = sorted(copy.glob("*.jsonl"))[0]
    first.unlink()
    first.with_suffix(".heads").unlink(missing_ok=True)

    problem = verify(copy).problems[0]

    assert problem.line == 1
    assert "no line says why" in problem.what


@pytest.mark.parametrize("small_files", [0, 20])
def test_a_forged_line_about_old_files_does_not_excuse_that_they_are_gone(
    copy: Path, small_files: int
) -> None:
    first, second, *_ = sorted(copy.glob("*.jsonl"))
    last = json.loads(first.read_bytes().splitlines()[-1])
    told = {"files": 1, "first": 1, "last": last["seq"], "hash": last["hash"]}
    first.unlink()
    first.with_suffix(".heads").unlink()
    log = open_log(copy, file_bytes_max=10**6, seal_always=True)
    log.record("audit.removed", told)
    log.flush()
    for _ in range(small_files):  # as many as are kept, but not as large
        fill(open_log(copy, file_bytes_max=1, files_kept=100, seal_always=True), 1)

    (problem,) = verify(copy, file_bytes_max=3000).problems

    assert problem.file == second.name
    assert "before their time" in problem.what


def test_a_torn_line_does_not_excuse_what_it_replaces(copy: Path) -> None:

    path = sorted(copy.glob("*.jsonl"))[0]
    lines = lines_of(path)
    before = json.loads(lines[3])
    garbage = b"torn off\n"
    facts = {"bytes": len(garbage), "sha256": hashlib.sha256(garbage).hexdigest()}
    excuse, _ = write_line(
        Head(before["seq"], before["hash"]), before["time"], "audit.repaired", facts
    )
    path.write_bytes(b"".join([*lines[:4], garbage, excuse, *lines[5:]]))

    problem = verify(copy).problems[0]

    assert problem.file == path.name and problem.line in (6, 7)


def test_bytes_of_a_torn_line_can_not_be_changed(tmp_path: Path) -> None:
    log = open_log(tmp_path / "audit", seal_always=True)
    fill(log, 3)
    path = tmp_path / "audit/000000000001.jsonl"
    with path.open("ab") as file:
        file.write(b'{"seq":4,"time":')
    fill(log, 1)
    path.write_bytes(path.read_bytes().replace(b'{"seq":4,"time":\n', b'{"seq":4,"tame":\n'))

    (problem,) = verify(tmp_path / "audit").problems

    assert problem.line == 4


def test_heads_of_another_key_count_for_nothing(copy: Path) -> None:
    other = FileSigner(Ed25519PrivateKey.generate())

    state = verify_log(copy, other.public_key, Ed25519Verifier())

    assert {each.what for each in state.problems} == {"not signed by the key of this node"}
    assert state.sealed == 0


def test_without_a_key_no_signature_counts(copy: Path) -> None:
    assert not verify_log(copy, None, Ed25519Verifier()).ok


def test_a_head_that_somebody_else_signed_is_found_and_the_ones_before_count(
    tmp_path: Path,
) -> None:
    fill(open_log(tmp_path / "audit", seal_always=True), 3)
    other = FileSigner(Ed25519PrivateKey.generate())
    fill(open_log(tmp_path / "audit", seal_always=True, signer=lambda: other), 2)

    state = verify(tmp_path / "audit")

    assert [(each.file, each.line) for each in state.problems] == [("000000000001.heads", 4)]
    assert state.sealed == 3


@pytest.mark.parametrize("number", [0, 1, 2])
def test_heads_can_not_be_left_out_or_swapped(tmp_path: Path, number: int) -> None:
    fill(open_log(tmp_path / "audit", seal_always=True), 5)
    heads = tmp_path / "audit/000000000001.heads"
    lines = lines_of(heads)
    heads.write_bytes(b"".join(lines[:number] + lines[number + 1 :]))
    dropped = verify(tmp_path / "audit")
    lines[number], lines[number + 1] = lines[number + 1], lines[number]
    heads.write_bytes(b"".join(lines))

    swapped = verify(tmp_path / "audit")

    assert dropped.problems[0].file == swapped.problems[0].file == heads.name
    assert dropped.problems[0].line == swapped.problems[0].line == number + 1


def test_files_that_are_none_of_the_log_are_named(copy: Path) -> None:
    (copy / "000000000099.heads").write_bytes(b"")
    (copy / "copy.jsonl").write_bytes(b"")

    names = [each.file for each in verify(copy).problems]

    assert names == ["000000000099.heads", "copy.jsonl"]


# Limits that are said


def test_what_is_behind_the_last_head_can_be_cut_off_unseen(copy: Path) -> None:
    fill(open_log(copy, file_bytes_max=10**6), 5)
    path = sorted(copy.glob("*.jsonl"))[-1]
    path.write_bytes(b"".join(lines_of(path)[:-2]))

    state = verify(copy)

    assert state.ok
    assert state.to_json()["unsealed"] == 3


def test_a_change_behind_the_last_head_is_found_by_the_chain(copy: Path) -> None:
    fill(open_log(copy, file_bytes_max=10**6), 5)
    path = sorted(copy.glob("*.jsonl"))[-1]
    path.write_bytes(path.read_bytes().replace(b'"n":1,', b'"n":7,'))

    assert not verify(copy).ok


# Reading


def test_a_log_that_was_never_written_is_in_order(tmp_path: Path) -> None:
    state = verify(tmp_path / "none")

    assert state.ok and state.lines == 0


def test_a_log_can_be_verified_while_it_is_written(tmp_path: Path) -> None:

    log = open_log(tmp_path / "audit", seal_always=True, file_bytes_max=4000)
    writer = threading.Thread(target=fill, args=(log, 150))
    writer.start()
    states = [verify(tmp_path / "audit")]
    while writer.is_alive():
        states.append(verify(tmp_path / "audit"))
    writer.join(30)

    assert all(state.ok for state in states), [state.problems for state in states if not state.ok]


def test_a_file_of_garbage_takes_bounded_memory_and_problems(tmp_path: Path) -> None:
    fill(open_log(tmp_path / "audit"), 3)
    with (tmp_path / "audit/000000000001.jsonl").open("ab") as file:
        for _ in range(300):
            file.write(b"x" * 70_000)
            file.write(b"\n" * 2)

    state = verify(tmp_path / "audit")

    assert 0 < len(state.problems) <= PROBLEMS_MAX


def kinds() -> Iterator[object]:
    yield from (None, 1, 1.5, "x", [], {}, True)


@pytest.mark.parametrize("key", ["seq", "time", "event", "facts", "prev", "hash"])
def test_a_line_with_parts_of_another_kind_is_malformed(copy: Path, key: str) -> None:

    path = sorted(copy.glob("*.jsonl"))[0]
    lines = lines_of(path)
    for value in kinds():
        changed = {**json.loads(lines[2]), key: value}
        text = json.dumps(changed, separators=(",", ":")).encode() + b"\n"
        path.write_bytes(b"".join([*lines[:2], text, *lines[3:]]))

        assert verify(copy).problems[0].line == 3


def test_the_key_is_the_nodes() -> None:
    assert SIGNER.sign(b"x") != FileSigner(Ed25519PrivateKey.generate()).sign(b"x")
