"""What a host is found to be able to enforce, whole and with parts missing."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from skilllite_sandbox.host import Interpreter, find_program, read_host
from skilllite_sandbox.policy import Tier
from skilllite_sandbox.probe import HostReport, probe, probe_host


def _python() -> Interpreter:
    found = read_host().python
    assert found is not None
    return found


def failed(report: HostReport) -> dict[str, str]:
    """Return the remedy of each required check that failed."""
    return {check.name: check.remedy for check in report.checks if check.required and not check.ok}


def test_this_host_holds_a_hostile_skill() -> None:
    report = probe_host()

    assert failed(report) == {}, report
    assert report.ok
    assert report.tier is Tier.FULL
    assert {check.name for check in report.checks} >= {
        *("machine", "zygote", "bubblewrap", "python", "namespaces", "sandbox"),
        *("landlock", "node", "bash", "jq", "tree-bounds"),
    }


def test_a_probe_is_made_once_per_process() -> None:
    probe_host()
    started = time.perf_counter()

    assert probe_host() is probe_host()

    assert time.perf_counter() - started < 0.01


def test_a_host_without_bubblewrap_is_told_how_to_get_it() -> None:
    host = replace(read_host(), bwrap=None)

    report = probe(host, tiers=(Tier.BWRAP,))

    assert failed(report) == {"bubblewrap": "apt install bubblewrap"}
    assert report.tier is Tier.NONE
    assert not report.ok
    best = probe(host)
    assert best.tier is Tier.FULL
    assert failed(best) == {}, "the zygote does without"


def test_a_host_without_zygotes_falls_back_to_bubblewrap_and_says_so() -> None:
    host = replace(read_host(), python=replace(_python(), trees=("/usr/lib/nowhere",)))

    report = probe(host, tiers=(Tier.FULL,))

    assert report.tier is Tier.NONE
    assert "zygote" in failed(report)


def test_a_bubblewrap_that_is_too_old_is_refused(tmp_path: Path) -> None:
    old = tmp_path / "bwrap"
    old.write_text("#!/bin/sh\necho bubblewrap 0.4.1\n", encoding="ascii")
    old.chmod(0o755)

    assert "bubblewrap" in failed(probe(replace(read_host(), bwrap=str(old)), tiers=(Tier.BWRAP,)))


def test_a_bubblewrap_that_can_make_no_namespaces_is_found_out(tmp_path: Path) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo bubblewrap 0.8.0 && exit\n'
        'echo "bwrap: No permissions to create new namespace" >&2; exit 1\n',
        encoding="ascii",
    )
    broken.chmod(0o755)
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        parent.chmod(0o755)

    report = probe(replace(read_host(), bwrap=str(broken)), tiers=(Tier.BWRAP,))

    checks = {check.name: check for check in report.checks}
    assert "namespaces" in failed(report)
    assert "No permissions" in checks["namespaces"].detail
    assert checks["namespaces"].remedy
    assert report.tier is Tier.NONE


# The attackers run on the host as they are; only what they call their scratch is a directory of the
# test, because in the host's /tmp a file of that name may be somebody's.
CARRIER_THAT_ISOLATES_NOTHING = """#!/usr/bin/python3
import os, shutil, sys, tempfile
arguments = sys.argv
if "--version" in arguments:
    print("bubblewrap 0.8.0")
    raise SystemExit
guest = int(arguments[arguments.index("/run/guest") - 1])
with tempfile.NamedTemporaryFile(dir="{directory}", delete=False) as file:
    while chunk := os.read(guest, 65536):
        file.write(chunk)
if child := os.fork():
    raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
def redirect(source, target):
    with open(source) as file, open(target, "w") as copy:
        copy.write(file.read().replace("/tmp/", "{directory}/"))
skill = tempfile.mkdtemp(dir="{directory}")
given = arguments[arguments.index("/skill") - 1]
shutil.copytree(given, skill, copy_function=redirect, dirs_exist_ok=True)
os.environ["TMPDIR"] = "{directory}"
command = arguments[arguments.index("--") + 1 :]
real = [word.replace("/run/guest", file.name).replace("/skill/", skill + "/") for word in command]
os.execv(real[0], real)
"""


def test_a_carrier_that_isolates_nothing_is_found_out(tmp_path: Path) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text(CARRIER_THAT_ISOLATES_NOTHING.replace("{directory}", str(tmp_path)), "utf-8")
    fake.chmod(0o755)
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        parent.chmod(0o755)
    tmp_path.chmod(0o777)
    before = stamp(Path("/tmp/x"))

    report = probe(replace(read_host(), bwrap=str(fake)), tiers=(Tier.BWRAP,))

    assert (tmp_path / "x").exists(), "they ran, and had their scratch here"
    assert stamp(Path("/tmp/x")) == before
    details = {check.name: check.detail for check in report.checks if not check.ok}
    assert "a hostile skill could make a socket" in details["sandbox"]
    assert "make a process" in details["sandbox"]
    assert "read a file of the host" in details["sandbox"] or "see processes" in details["sandbox"]
    assert report.tier is Tier.NONE


def stamp(path: Path) -> int | None:
    """Return when a file was written last, in nanoseconds."""
    return path.stat().st_mtime_ns if path.exists() else None


def test_a_host_without_python_is_told() -> None:
    assert "python" in failed(probe(replace(read_host(), python=None)))


def test_what_only_some_skills_need_is_no_failure() -> None:
    report = probe(replace(read_host(), node=None, bash=None))

    absent = {check.name for check in report.checks if not check.ok}
    assert {"node", "bash"} <= absent
    assert report.ok


def test_wrapper_scripts_are_no_programs(tmp_path: Path) -> None:
    wrapper = tmp_path / "node"
    wrapper.write_text("#!/bin/sh\nexec /usr/bin/node\n", encoding="ascii")
    wrapper.chmod(0o755)

    assert find_program("node", str(tmp_path)) is None
    assert find_program("sh", f"{tmp_path}:/bin") is not None
    assert find_program("sh", "relative:.") is None


@pytest.mark.parametrize("name", ["python", "bash"])
def test_interpreters_are_found_without_links(name: str) -> None:
    found = getattr(read_host(), name)

    assert found is not None
    assert not Path(found.path).is_symlink()
    assert found.path in found.trees
