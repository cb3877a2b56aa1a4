"""Where control groups may be made: read from text, then tried out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from skilllite_sandbox.linux import cgroup_home
from skilllite_sandbox.linux.cgroup_home import Mounted, find_home, hierarchies, is_ours

V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate"
V1 = "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory"


def test_the_place_of_a_service_in_version_2_is_read() -> None:
    found = list(hierarchies(V2, "0::/system.slice/node.service\n"))

    assert found == [
        Mounted(2, frozenset(), "/sys/fs/cgroup", "/sys/fs/cgroup/system.slice/node.service")
    ]


def test_version_1_and_2_may_stand_side_by_side() -> None:
    own = "4:memory:/docker/abc\n1:cpu:/\n0::/\n"

    found = list(hierarchies(f"{V1}\n{V2}\n36 31 0:40 / /proc rw - proc proc rw", own))

    assert [(each.version, each.own) for each in found] == [
        (1, "/sys/fs/cgroup/memory/docker/abc"),
        (2, "/sys/fs/cgroup"),
    ]


def test_a_group_outside_what_is_mounted_is_no_place() -> None:
    part = V1.replace("0:32 / ", "0:32 /docker/abc ")

    assert list(hierarchies(part, "4:memory:/docker/abcd\n")) == []
    assert list(hierarchies(V2, "0::/../other\n")) == []
    assert [each.own for each in hierarchies(part, "4:memory:/docker/abc/run\n")] == [
        "/sys/fs/cgroup/memory/run"
    ]


def test_a_mount_point_with_a_space_is_read() -> None:
    mounted = V2.replace("/sys/fs/cgroup", "/mnt/my\\040groups")

    assert [each.own for each in hierarchies(mounted, "0::/\n")] == ["/mnt/my groups"]


def test_what_systemd_did_not_delegate_is_not_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = tmp_path / "node.service"
    group.mkdir()
    (group / "cgroup.procs").touch()
    monkeypatch.setattr(cgroup_home, "_SYSTEMD", str(tmp_path / "nowhere"))
    assert is_ours(str(group)), "the control: a host without systemd"

    monkeypatch.setattr(cgroup_home, "_SYSTEMD", str(tmp_path))

    assert not is_ours(str(group))
    delegated = {(str(group), "user.delegate"): b"1"}
    monkeypatch.setattr(os, "getxattr", lambda path, name: delegated.get((path, name), b""))
    assert is_ours(str(group))


def test_a_host_that_shows_no_groups_has_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup_home, "_text", lambda path: "")

    assert find_home() is None
