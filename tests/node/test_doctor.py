"""The doctor tries things, tells failures apart, and names a remedy for each."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from skilllite.doctor.checks import Check, Status
from skilllite.doctor.host import check_clock, check_home, check_node, check_sandbox
from skilllite.doctor.network import check_multicast, check_port
from skilllite.errors import ControlFailed
from skilllite.home import Home
from skilllite_sandbox.policy import Tier
from skilllite_sandbox.probe import Check as Tried
from skilllite_sandbox.probe import HostReport
from skilllite_swarm.identity import load_or_create_identity
from skilllite_swarm.team import open_team

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def statuses(checks: list[Check]) -> list[Status]:
    return [check.status for check in checks]


def assert_remedies(checks: list[Check]) -> None:
    for check in checks:
        assert bool(check.remedy) == (check.status is not Status.OK), check


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path / "home")
    home.prepare()
    return home


def test_a_missing_optional_part_warns_and_a_required_one_fails() -> None:
    report = HostReport(
        (
            Tried("bubblewrap", False, "not found", "apt install bubblewrap"),
            Tried("node", False, "not here", "apt install nodejs", required=False),
            Tried("python", True, "/usr/bin/python3", "apt install python3"),
        ),
        Tier.NONE,
    )

    checks = check_sandbox(report.checks)

    assert statuses(checks) == [Status.FAILED, Status.WARNING, Status.OK]
    assert_remedies(checks)


def test_a_home_that_others_can_write_fails(home: Home) -> None:
    assert statuses(check_home(home)) == [Status.OK]
    home.skills.chmod(0o777)

    checks = check_home(home)

    assert statuses(checks) == [Status.FAILED]
    assert str(home.skills) in checks[0].detail
    assert_remedies(checks)


def test_a_key_that_others_can_read_fails(home: Home) -> None:
    key = home.keys / "device.pem"
    key.write_text("secret", encoding="utf-8")
    key.chmod(0o644)

    checks = check_home(home)

    assert statuses(checks) == [Status.FAILED]
    assert "secret" not in checks[0].detail
    assert_remedies(checks)


@pytest.mark.parametrize("name", ["integrity/register", "denylist.json"])
def test_what_every_run_is_compared_with_has_to_be_readable(home: Home, name: str) -> None:
    path = home.data_dir / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("nothing of that kind", encoding="utf-8")

    checks = check_home(home)

    assert statuses(checks) == [Status.FAILED]
    assert str(path) in checks[0].detail
    assert_remedies(checks)


def test_looking_at_a_home_that_is_not_there_creates_nothing(tmp_path: Path) -> None:
    checks = check_home(Home.at(tmp_path / "none"))

    assert statuses(checks) == [Status.OK]
    assert not (tmp_path / "none").exists()


def test_a_home_that_can_not_be_made_fails(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")

    checks = check_home(Home.at(file / "home"))

    assert statuses(checks) == [Status.FAILED]
    assert checks[0].detail == f"{file} can't be written"
    assert_remedies(checks)


@pytest.mark.parametrize(
    ("free_mib", "status"), [(1000, Status.OK), (100, Status.WARNING), (1, Status.FAILED)]
)
def test_a_disk_without_room_is_told_before_it_is_full(
    home: Home, monkeypatch: pytest.MonkeyPatch, free_mib: int, status: Status
) -> None:
    disk = SimpleNamespace(f_bavail=free_mib * 256, f_frsize=4096)
    monkeypatch.setattr("skilllite.doctor.host.os.statvfs", lambda place: disk)

    checks = check_home(home)

    assert max(statuses(checks), key=list(Status).index) is status
    if status is not Status.OK:
        assert f"{free_mib} MiB free" in checks[0].detail
    assert_remedies(checks)


@pytest.mark.parametrize(
    ("days", "status"),
    [(0, Status.OK), (-2, Status.FAILED), (28, Status.WARNING), (31, Status.FAILED)],
)
def test_a_clock_outside_the_certificate_fails(home: Home, days: int, status: Status) -> None:
    identity = load_or_create_identity(home.keys)
    open_team(home.team, home.keys, identity, NOW)

    checks = check_clock(home, NOW + timedelta(days=days, hours=1))

    certificate = [check for check in checks if check.name == "certificate"]
    assert statuses(certificate) == [status]
    assert_remedies(checks)


def test_a_damaged_team_file_is_reported(home: Home) -> None:
    (home.team / "team.json").write_text("{", encoding="utf-8")
    (home.team / "team.json").chmod(0o600)

    checks = check_clock(home, NOW)

    assert Status.FAILED in statuses(checks)
    assert_remedies(checks)


def test_a_node_that_does_not_answer_fails_and_none_is_fine() -> None:
    def broken() -> dict[str, Any] | None:
        raise ControlFailed("the node closed the connection")

    assert check_node(lambda: None).status is Status.OK
    assert check_node(lambda: {"name": "kitchen", "pid": 7}).status is Status.OK
    assert check_node(broken).status is Status.FAILED


def test_a_taken_port_fails_when_it_was_chosen_and_warns_otherwise() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        chosen = check_port("team port", "127.0.0.1", port, chosen=True)
        default = check_port("team port", "127.0.0.1", port, chosen=False)
    free = check_port("team port", "127.0.0.1", port, chosen=True)

    assert statuses([chosen, default, free]) == [Status.FAILED, Status.WARNING, Status.OK]
    assert_remedies([chosen, default, free])


def test_a_machine_without_a_network_is_told_about_static_peers() -> None:
    checks = check_multicast([])

    assert statuses(checks) == [Status.WARNING]
    assert "--peer" in checks[0].remedy


def test_multicast_is_really_tried() -> None:
    looped, missing = check_multicast([("lo", "127.0.0.1"), ("gone", "192.0.2.77")])

    assert looped.status is Status.OK
    assert missing.status is Status.FAILED
    assert_remedies([looped, missing])


def doctor(home: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "skilllite", "doctor", *args],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "SKILLLITE_HOME": str(home)},
    )


def test_the_command_prints_one_object_and_exits_1_on_failure(home: Home) -> None:
    assert home.root is not None
    good = doctor(home.root, "--only", "home", "--json")
    home.keys.chmod(0o777)
    bad = doctor(home.root, "--only", "home", "--json")
    shown = doctor(home.root, "--only", "home")

    assert (good.returncode, bad.returncode) == (0, 1)
    assert json.loads(good.stdout)["ok"] is True
    assert json.loads(bad.stdout)["checks"][0]["remedy"]
    assert "chmod go-w" in shown.stdout


def test_the_sandbox_area_names_the_tier(home: Home) -> None:
    assert home.root is not None
    done = doctor(home.root, "--only", "sandbox", "--json")

    report = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout
    assert report["sandbox"]["ok"] is True
    assert report["sandbox"]["tier"] == "full"
