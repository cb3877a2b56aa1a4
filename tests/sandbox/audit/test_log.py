"""Appending: in order, by many processes, after crashes, over many files, or not at all."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from audit_log import SIGNER, fill, open_log, verify
from skilllite_sandbox.audit import log as log_module
from skilllite_sandbox.audit.files import log_files
from skilllite_sandbox.audit.log import UNSEALED_LINES_MAX, WAITING_MAX
from skilllite_sandbox.errors import AuditUnavailable, KeyUnusable
from skilllite_sandbox.signing import FileSigner

PROCESSES = 8
EVENTS_EACH = 60
WRITER = f"""
import sys
from pathlib import Path
from audit_log import open_log
log = open_log(Path(sys.argv[1]), file_bytes_max=20_000)
for number in range({EVENTS_EACH}):
    log.record("run.ended", {{"process": sys.argv[2], "n": number}}, durable=number % 20 == 0)
    if number % 3 == 0:
        log.flush()
log.flush()
"""


def facts_of(directory: Path) -> list[Mapping[str, object]]:
    lines = [
        json.loads(line)
        for name in log_files(str(directory))
        for line in (directory / name).read_bytes().splitlines()
    ]
    return [line["facts"] for line in lines]


def events_of(directory: Path) -> list[str]:
    return [
        json.loads(line)["event"]
        for name in log_files(str(directory))
        for line in (directory / name).read_bytes().splitlines()
        if line.startswith(b"{") and line.endswith(b"}")
    ]


def test_events_are_kept_in_order_and_chained(tmp_path: Path) -> None:
    log = open_log(tmp_path / "audit")
    fill(log, 10, group=3)

    state = verify(tmp_path / "audit")

    assert state.ok, state.problems
    assert (state.first, state.last, state.lines) == (1, 10, 10)
    assert [facts["n"] for facts in facts_of(tmp_path / "audit")] == list(range(10))


def test_files_are_for_this_user_alone(tmp_path: Path) -> None:
    log = open_log(tmp_path / "audit")
    log.record("skill.installed", {}, durable=True)

    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "audit").iterdir()}

    assert set(modes) == {"lock", "000000000001.jsonl", "000000000001.heads"}
    assert set(modes.values()) == {0o600}


def test_eight_processes_make_one_chain(tmp_path: Path) -> None:
    support = Path(__file__).parents[2] / "support"
    environment = {**os.environ, "PYTHONPATH": str(support)}
    (tmp_path / "audit").mkdir(mode=0o700)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "audit"), str(number)], env=environment
        )
        for number in range(PROCESSES)
    ]
    assert [writer.wait(60) for writer in writers] == [0] * PROCESSES

    state = verify(tmp_path / "audit")

    assert state.ok, state.problems
    assert state.lines == PROCESSES * EVENTS_EACH
    assert state.files > 1
    told = [(facts["process"], facts["n"]) for facts in facts_of(tmp_path / "audit")]
    for number in range(PROCESSES):
        assert [n for process, n in told if process == str(number)] == list(range(EVENTS_EACH))


def test_threads_share_a_log(tmp_path: Path) -> None:
    log = open_log(tmp_path / "audit")
    threads = [threading.Thread(target=fill, args=(log, 50)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    state = verify(tmp_path / "audit")

    assert state.ok, state.problems
    assert state.lines == 200


# Crashes


@pytest.mark.parametrize("left", [1, 30, 150])
def test_a_line_that_was_torn_off_stays_and_the_next_one_names_it(
    tmp_path: Path, left: int
) -> None:
    log = open_log(tmp_path / "audit", seal_always=True)
    fill(log, 5)
    fill(open_log(tmp_path / "other"), 6)
    whole = (tmp_path / "other/000000000001.jsonl").read_bytes().splitlines()[5]
    torn = whole[:left]
    with (tmp_path / "audit/000000000001.jsonl").open("ab") as file:
        file.write(torn)

    fill(log, 1)

    state = verify(tmp_path / "audit")
    assert state.ok, state.problems
    assert (state.repaired, state.last) == (1, 7)
    assert torn + b"\n" in (tmp_path / "audit/000000000001.jsonl").read_bytes()


def test_a_whole_line_without_its_end_counts(tmp_path: Path) -> None:
    log = open_log(tmp_path / "audit")
    fill(log, 5)
    path = tmp_path / "audit/000000000001.jsonl"
    path.write_bytes(path.read_bytes()[:-1])

    fill(log, 1)

    state = verify(tmp_path / "audit")
    assert state.ok, state.problems
    assert state.last == 7
    assert events_of(tmp_path / "audit")[5] == "audit.repaired"


@pytest.mark.parametrize("garbage", [b"\0" * 5000, b"{\n\n{", b'{"seq":6}\n', b"\xff" * 70_000])
def test_whatever_a_crash_leaves_is_named(tmp_path: Path, garbage: bytes) -> None:
    log = open_log(tmp_path / "audit", seal_always=True)
    fill(log, 5)
    for _ in range(2):
        with (tmp_path / "audit/000000000001.jsonl").open("ab") as file:
            file.write(garbage)
        fill(log, 2)

    state = verify(tmp_path / "audit")

    assert state.ok, state.problems
    assert (state.repaired, state.last) == (2, 11)


def test_a_crash_in_the_middle_of_a_repair_is_repaired(tmp_path: Path) -> None:
    log = open_log(tmp_path / "audit")
    fill(log, 3)
    path = tmp_path / "audit/000000000001.jsonl"
    with path.open("ab") as file:
        file.write(b'{"seq":4,"ti\n{"seq":4,"time":"2026-')

    fill(log, 1)

    state = verify(tmp_path / "audit")
    assert state.ok, state.problems
    assert (state.repaired, state.last) == (1, 5)


def test_an_empty_next_file_is_used(tmp_path: Path) -> None:
    log = open_log(tmp_path / "audit")
    fill(log, 3)
    (tmp_path / "audit/000000000004.jsonl").touch(mode=0o600)

    fill(log, 2)

    state = verify(tmp_path / "audit")
    assert state.ok, state.problems
    assert (state.files, state.last) == (2, 5)


def test_a_file_torn_at_its_beginning_goes_on(tmp_path: Path) -> None:
    log = open_log(tmp_path / "audit")
    fill(log, 3)
    (tmp_path / "audit/000000000004.jsonl").write_bytes(b'{"seq":4,')

    fill(log, 2)

    state = verify(tmp_path / "audit")
    assert state.ok, state.problems
    assert (state.repaired, state.last) == (1, 6)


def test_heads_torn_by_a_crash_are_sealed_anew(tmp_path: Path) -> None:
    log = open_log(tmp_path / "audit", seal_always=True)
    fill(log, 3)
    heads = tmp_path / "audit/000000000001.heads"
    heads.write_bytes(heads.read_bytes()[:-40])

    fill(log, 1)

    state = verify(tmp_path / "audit")
    assert state.ok, state.problems
    assert (state.sealed, state.heads) == (4, 3)


def test_a_log_whose_end_is_lost_takes_nothing_more(tmp_path: Path) -> None:
    log = open_log(tmp_path / "audit")
    fill(log, 3)
    with (tmp_path / "audit/000000000001.jsonl").open("ab") as file:
        file.write(b"\0" * 2_000_000)

    with pytest.raises(AuditUnavailable) as raised:
        log.record("run.ended", {}, durable=True)

    assert "damaged" in raised.value.message
    assert "move" in (raised.value.hint or "")


# Files


def test_many_files_are_one_chain(tmp_path: Path) -> None:
    log = open_log(tmp_path / "audit", file_bytes_max=2000, files_kept=1000)
    fill(log, 100)

    state = verify(tmp_path / "audit")

    assert state.ok, state.problems
    assert state.files > 5
    assert state.lines == 100


def test_old_files_go_and_the_log_says_which(tmp_path: Path) -> None:
    log = open_log(tmp_path / "audit", file_bytes_max=2000, files_kept=3)
    fill(log, 100)

    state = verify(tmp_path / "audit", file_bytes_max=2000, files_kept=3)

    assert state.ok, state.problems
    assert state.files == 3
    assert state.first > 50
    assert state.removed == state.first - 1
    assert "audit.removed" in events_of(tmp_path / "audit")


def test_files_that_were_said_to_go_may_still_be_there(tmp_path: Path) -> None:
    log = open_log(tmp_path / "audit", file_bytes_max=2000, files_kept=3)
    with pytest.MonkeyPatch.context() as patch:
        # As after a crash between the line that says so and the removal.
        patch.setattr(log_module, "_remove", lambda directory, name: None)
        fill(log, 60)
    kept = verify(tmp_path / "audit", file_bytes_max=2000, files_kept=3)
    fill(log, 20)

    state = verify(tmp_path / "audit", file_bytes_max=2000, files_kept=3)

    assert kept.ok and kept.first == 1, kept.problems
    assert state.ok, state.problems
    assert state.files == 3


# Seals


def test_a_durable_event_is_sealed_at_once(tmp_path: Path) -> None:
    log = open_log(tmp_path / "audit")
    fill(log, 5)
    log.record("consent.given", {"by": "person"}, durable=True)
    fill(log, 2)

    state = verify(tmp_path / "audit")

    assert state.ok, state.problems
    assert state.to_json()["unsealed"] == 2


def test_a_command_seals_when_many_lines_are_unsealed(tmp_path: Path) -> None:
    log = open_log(tmp_path / "audit")
    log.record("run.ended", {}, durable=True)
    fill(log, UNSEALED_LINES_MAX - 1, group=100)
    before = verify(tmp_path / "audit").sealed

    fill(log, 1)

    assert before == 1
    assert verify(tmp_path / "audit").sealed == UNSEALED_LINES_MAX + 1


def test_a_command_seals_when_it_was_long_ago(tmp_path: Path) -> None:
    log = open_log(tmp_path / "audit")
    log.record("run.ended", {}, durable=True)
    fill(log, 1)
    before = verify(tmp_path / "audit").sealed
    os.utime(tmp_path / "audit/000000000001.heads", (1e9, 1e9))

    fill(log, 1)

    assert before == 1
    assert verify(tmp_path / "audit").sealed == 3


def test_a_key_that_is_damaged_fails_what_has_to_be_durable_once(tmp_path: Path) -> None:
    def broken() -> FileSigner:
        raise KeyUnusable("sign.pem does not hold an Ed25519 key")

    log = open_log(tmp_path / "audit", signer=broken)

    with pytest.raises(AuditUnavailable) as raised:
        log.record("consent.given", {}, durable=True)

    assert raised.value.cause == "sign.pem does not hold an Ed25519 key"
    fill(open_log(tmp_path / "audit"), 1)
    assert events_of(tmp_path / "audit") == ["consent.given", "run.ended"]


def test_without_cryptography_nothing_durable_is_said_to_be_done(tmp_path: Path) -> None:
    def missing() -> FileSigner:
        raise ImportError("No module named 'cryptography'")

    log = open_log(tmp_path / "audit", signer=missing)

    with pytest.raises(AuditUnavailable) as raised:
        log.record("consent.given", {}, durable=True)

    assert "cryptography" in (raised.value.cause or "")


# Failures


def test_a_full_disk_leaves_no_half_line_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_log(tmp_path / "audit")
    fill(log, 2)

    def write(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        log.record("run.ended", {"n": 1})
        with pytest.raises(AuditUnavailable) as raised:
            log.flush()
        with pytest.raises(AuditUnavailable):
            log.record("consent.given", {"n": 2}, durable=True)

    assert raised.value.cause == "No space left on device"
    log.flush()
    state = verify(tmp_path / "audit")
    assert state.ok, state.problems
    assert (state.lines, state.repaired) == (4, 0)


def test_a_write_cut_short_by_a_full_disk_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_log(tmp_path / "audit")
    fill(log, 2)
    size = (tmp_path / "audit/000000000001.jsonl").stat().st_size
    really_write = os.write
    written = 0

    def write(descriptor: int, data: bytes) -> int:
        nonlocal written
        if written:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = really_write(descriptor, bytes(data)[:50])
        return written

    monkeypatch.setattr(os, "write", write)
    log.record("run.ended", {})

    with pytest.raises(AuditUnavailable):
        log.flush()

    assert (tmp_path / "audit/000000000001.jsonl").stat().st_size == size


def test_a_lock_that_is_kept_is_waited_for_only_so_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "LOCK_S_MAX", 0.05)
    log = open_log(tmp_path / "audit")
    began = time.monotonic()

    with log_module._locked(str(tmp_path / "audit")):
        log.record("run.ended", {})
        with pytest.raises(AuditUnavailable) as raised:
            log.flush()

    assert time.monotonic() - began < 2
    assert "holds its lock" in (raised.value.cause or "")
    log.flush()
    assert verify(tmp_path / "audit").lines == 1


def test_what_does_not_fit_into_memory_is_counted(tmp_path: Path) -> None:
    log = open_log(tmp_path / "audit")
    for number in range(WAITING_MAX + 5):
        log.record("run.ended", {"n": number})

    log.flush()

    assert verify(tmp_path / "audit").lines == WAITING_MAX + 1
    assert facts_of(tmp_path / "audit")[-1] == {"events": 5}


def test_a_log_of_others_is_not_followed_through_a_link(tmp_path: Path) -> None:
    log = open_log(tmp_path / "audit")
    (tmp_path / "target").write_bytes(b"")
    (tmp_path / "audit/000000000001.jsonl").symlink_to(tmp_path / "target")

    with pytest.raises(AuditUnavailable):
        log.record("run.ended", {}, durable=True)

    assert not (tmp_path / "target").read_bytes()


def test_appending_imports_nothing_heavy() -> None:
    code = "import sys, skilllite_sandbox.audit.log; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(Path(log_module.__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )

    heavy = {"typing", "dataclasses", "pathlib", "cryptography", "hashlib", "logging", "threading"}
    assert not heavy & set(done.stdout.split())


def test_the_key_of_these_tests_is_one() -> None:
    assert len(SIGNER.public_key) == 32


def test_writers_that_are_killed_at_any_moment_leave_a_log_in_order(tmp_path: Path) -> None:
    support = Path(__file__).parents[2] / "support"
    environment = {**os.environ, "PYTHONPATH": str(support)}
    (tmp_path / "audit").mkdir(mode=0o700)
    endless = WRITER.replace(f"range({EVENTS_EACH})", "range(10**9)")
    for number in range(6):
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", endless, str(tmp_path / "audit"), f"{number}-{each}"],
                env=environment,
            )
            for each in range(2)
        ]
        before = _bytes_in(tmp_path / "audit")
        deadline = time.monotonic() + 20
        while _bytes_in(tmp_path / "audit") < before + 2000 * (number + 1):
            assert time.monotonic() < deadline
            time.sleep(0.001)
        for writer in writers:
            writer.kill()
            writer.wait(10)
    fill(open_log(tmp_path / "audit"), 1)

    state = verify(tmp_path / "audit")

    assert state.ok, state.problems


def _bytes_in(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.glob("*.jsonl"))
