"""Installing for real, in a box, from an index on loopback; hostile packages included."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from package_index import PackageIndex, open_index, wanting, wheel
from sandbox_lab import OTHER_USER, SECRET, Lab, open_lab, require
from skilllite_sandbox.environment.builder import SandboxBuilder
from skilllite_sandbox.environment.installed import remove_tree
from skilllite_sandbox.environment.requirements import Ecosystem
from skilllite_sandbox.environment.store import Environments
from skilllite_sandbox.errors import (
    BuildingNotAllowed,
    EnvironmentUnavailable,
    IndexUnreachable,
    PackagesUnresolvable,
)
from skilllite_sandbox.host import find_program, read_host

FIRST_RUNS = 10
PROCESS_S = 120.0  # ten interpreters on two busy cores

pytestmark = pytest.mark.skipif(find_program("bwrap") is None, reason="bubblewrap is not installed")


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    with open_index() as opened:
        yield opened


@pytest.fixture
def environments(index: PackageIndex, tmp_path: Path) -> Environments:
    return index.environments(tmp_path / "env")


@pytest.fixture
def lab() -> Iterator[Lab]:
    with open_lab(as_user=None) as opened:
        yield opened


def imported(directory: Path, code: str) -> str:
    """Return what a bare interpreter prints that finds packages there."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(directory)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_package_is_installed_with_what_it_needs(
    index: PackageIndex, environments: Environments
) -> None:
    index.add_wheel("inner", "2.0", {"inner.py": "value = 41\n"})
    index.add_wheel(
        "outer", "1.0", {"outer.py": "from inner import value\n"}, requires=("inner>=1",)
    )

    built = environments.ensure(wanting("outer"))

    names = [(each.name, each.version) for each in built.packages]
    assert names == [("inner", "2.0"), ("outer", "1.0")]
    assert imported(built.modules, "import outer; print(outer.value)") == "41\n"
    assert list(built.modules.rglob("*.pyc")), "compiled once, not at every run"


def test_an_environment_can_be_read_by_all_and_written_by_nobody(
    index: PackageIndex, environments: Environments
) -> None:
    index.add_wheel("plain", "1.0", {"plain/__init__.py": ""})

    built = environments.ensure(wanting("plain"))

    for path in (built.path, *built.path.rglob("*")):
        status = path.lstat()
        assert status.st_uid == os.geteuid()
        assert status.st_mode & 0o777 == (0o555 if path.is_dir() else 0o444), path
    assert environments.by_digest.stat().st_mode & 0o777 == 0o711
    assert environments.by_digest.parent.stat().st_mode & 0o777 == 0o700
    left = {path.name for path in environments.by_digest.parent.iterdir()}
    assert left == {"by-digest", "locks"}


def test_what_was_locked_once_stays_when_the_index_has_newer(
    index: PackageIndex, environments: Environments, tmp_path: Path
) -> None:
    index.add_wheel("moving", "1.0", {"moving.py": ""})
    first = environments.ensure(wanting("moving"))
    index.add_wheel("moving", "2.0", {"moving.py": ""})
    remove_tree(environments.by_digest)

    again = environments.ensure(wanting("moving"))
    environments.remove(again.digest)
    afresh = environments.ensure(wanting("moving"))

    assert again.digest == first.digest
    assert afresh.packages[0].version == "2.0"


def test_two_sets_with_the_same_lock_share_an_environment(
    index: PackageIndex, environments: Environments
) -> None:
    index.add_wheel("shared", "1.5", {"shared.py": ""})

    first = environments.ensure(wanting("shared"))
    second = environments.ensure(wanting("shared>=1"))

    assert first.digest == second.digest
    assert len(environments.list()) == 1


def test_a_file_that_changed_at_the_index_is_refused_by_its_hash(
    index: PackageIndex, environments: Environments
) -> None:
    index.add_wheel("swapped", "1.0", {"swapped.py": "honest = True\n"})
    environments.ensure(wanting("swapped"))
    remove_tree(environments.by_digest)
    name, content = wheel("swapped", "1.0", {"swapped.py": "honest = False\n"})
    index.files[f"/files/{name}"] = content

    with pytest.raises(PackagesUnresolvable) as refused:
        environments.ensure(wanting("swapped"))

    assert "hash" in (refused.value.cause or "").lower()


@pytest.mark.parametrize("wish", ["nothing-of-that-name", "known==9", "known>2,<3"])
def test_what_the_index_does_not_have_is_unresolvable(
    wish: str, index: PackageIndex, environments: Environments
) -> None:
    index.add_wheel("known", "1.0", {"known.py": ""})

    with pytest.raises(PackagesUnresolvable):
        environments.ensure(wanting(wish))

    assert environments.list() == []


def test_an_index_that_does_not_answer_is_unreachable(tmp_path: Path) -> None:
    with socket.socket() as reserved:  # bound, not listening: connections are refused
        reserved.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{reserved.getsockname()[1]}/simple/"
        environ = {"UV_DEFAULT_INDEX": address}
        environments = Environments(
            tmp_path / "env", lambda: SandboxBuilder(read_host(), environ=environ)
        )

        with pytest.raises(IndexUnreachable) as refused:
            environments.ensure(wanting("anything"))

    assert refused.value.hint


def test_a_host_without_bubblewrap_installs_nothing(index: PackageIndex, tmp_path: Path) -> None:
    index.add_wheel("plain", "1.0", {"plain.py": ""})
    host = replace(read_host(), bwrap=None)
    environments = Environments(
        tmp_path / "env", lambda: SandboxBuilder(host, environ=index.environ)
    )

    with pytest.raises(EnvironmentUnavailable):
        environments.ensure(wanting("plain"))


def test_a_dependency_by_url_is_refused(index: PackageIndex, environments: Environments) -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        address = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/x-1.0-py3-none-any.whl"
        index.add_wheel("sly", "1.0", {"sly.py": ""}, requires=(f"x @ {address}",))

        with pytest.raises((PackagesUnresolvable, EnvironmentUnavailable)):
            environments.ensure(wanting("sly"))

        assert_nobody_called(elsewhere)


# Hostile packages

ATTACK = """
import json, os, socket, sys

def attempt(action):
    try:
        return bool(action())
    except Exception:
        return False

def write(path):
    with open(path, "w") as file:
        return file.write("was here")

def read(path):
    with open(path) as file:
        return file.read()

def connect(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as there:
        return there.send(b"direct")

def ask_proxy(port):
    with socket.create_connection(("127.0.0.1", 3128), timeout=5) as proxy:
        target = f"127.0.0.1:{port}"
        proxy.sendall(f"CONNECT {target} HTTP/1.1\\r\\nHost: {target}\\r\\n\\r\\n".encode())
        return b" 200 " in proxy.recv(100)

def attack(facts):
    return {
        "mark in a folder for all": attempt(lambda: write(facts["drop"] + "/mark")),
        "mark in the home": attempt(lambda: write(facts["home"] + "/mark")),
        "ssh key": attempt(lambda: read(facts["key"])),
        "secret file": attempt(lambda: read(facts["secret"])),
        "environment": facts["name"] in os.environ,
        "connection": attempt(lambda: connect(facts["port"])),
        "connection by the proxy": attempt(lambda: ask_proxy(facts["port"])),
        "other processes": os.path.exists(f"/proc/{facts['pid']}"),
    }
"""
BACKEND = """
import json, os, zipfile
from attack import attack

FACTS = json.loads(%r)

def build_wheel(directory, config_settings=None, metadata_directory=None):
    name = "evil-1.0-py3-none-any.whl"
    info = "evil-1.0.dist-info"
    files = {
        "evil.py": "report = " + repr(attack(FACTS)),
        info + "/METADATA": "Metadata-Version: 2.1\\nName: evil\\nVersion: 1.0\\n",
        info + "/WHEEL": "Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\n"
                         "Tag: py3-none-any\\n",
    }
    record = "".join(f"{path},,\\n" for path in (*files, info + "/RECORD"))
    with zipfile.ZipFile(os.path.join(directory, name), "w") as archive:
        for path, text in {**files, info + "/RECORD": record}.items():
            archive.writestr(path, text)
    return name
"""
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
NODE_ATTACK = """
const fs = require("fs"), net = require("net");
const facts = JSON.parse(process.env.npm_config_facts || fs.readFileSync(__dirname + "/facts"));
const attempt = (action) => { try { return Boolean(action()); } catch { return false; } };
const report = {
  mark: attempt(() => { fs.writeFileSync(facts.drop + "/mark", "x"); return true; }),
  home: attempt(() => { fs.writeFileSync(facts.home + "/mark", "x"); return true; }),
  key: attempt(() => fs.readFileSync(facts.key)),
  environment: facts.name in process.env,
};
const socket = net.connect(facts.port, "127.0.0.1");
const done = (connected) => {
  report.connection = connected;
  socket.destroy();
  fs.writeFileSync(__dirname + "/report.json", JSON.stringify(report));
};
socket.on("connect", () => socket.write("direct", () => done(true)));
socket.on("error", () => done(false));
"""


def facts_for(lab: Lab, port: int) -> dict[str, object]:
    return {
        "drop": str(lab.drop),
        "home": str(lab.home),
        "key": str(lab.key_file),
        "secret": str(lab.secret_file),
        "name": "SKILLLITE_CANARY",
        "port": port,
        "pid": os.getpid(),
    }


def assert_nobody_called(listener: socket.socket) -> None:
    listener.settimeout(0)
    with pytest.raises(BlockingIOError):
        listener.accept()


def assert_no_mark(lab: Lab) -> None:
    assert list(lab.drop.iterdir()) == []
    assert sorted(path.name for path in lab.home.iterdir()) == [".ssh"]


def test_a_package_of_source_only_needs_consent_and_runs_nothing_without(
    index: PackageIndex, environments: Environments, lab: Lab
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        facts = facts_for(lab, listener.getsockname()[1])
        add_evil(index, facts)

        with pytest.raises(BuildingNotAllowed) as asked:
            environments.ensure(wanting("evil"))

        assert_nobody_called(listener)
    assert asked.value.code == "building_not_allowed"
    assert_no_mark(lab)
    assert index.downloads(".tar.gz") == 0


def test_a_hostile_build_leaves_no_mark(
    index: PackageIndex, environments: Environments, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKILLLITE_CANARY", SECRET)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        facts = facts_for(lab, listener.getsockname()[1])
        add_evil(index, facts)

        built = environments.ensure(wanting("evil"), allow_build=True)

        assert_nobody_called(listener)
        report = json.loads(
            imported(built.modules, "import evil, json; print(json.dumps(evil.report))")
        )
        assert report and not any(report.values()), report
        assert built.building_allowed
        assert_no_mark(lab)
        assert_attack_works(lab, facts, listener)


def add_evil(index: PackageIndex, facts: dict[str, object]) -> None:
    files = {
        "pyproject.toml": PYPROJECT,
        "backend.py": BACKEND % json.dumps(facts),
        "attack.py": ATTACK,
    }
    index.add_sdist("evil", "1.0", files)


def assert_attack_works(lab: Lab, facts: dict[str, object], listener: socket.socket) -> None:
    """The control: outside the box the same code does all that it tries, but for the proxy."""
    code = f"{ATTACK}\nprint(json.dumps(attack(json.loads(sys.argv[1]))))"
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(facts)], capture_output=True, timeout=60
    )
    achieved = json.loads(done.stdout)
    assert [name for name, done in achieved.items() if not done] == ["connection by the proxy"]
    assert {path.name for path in lab.drop.iterdir()} == {"mark"}
    listener.settimeout(5)
    listener.accept()[0].close()


def test_a_hostile_script_of_npm_does_not_run(
    index: PackageIndex, environments: Environments, lab: Lab
) -> None:
    require_npm()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        add_evil_to_npm(index, facts_for(lab, listener.getsockname()[1]))

        built = environments.ensure(wanting("evil", ecosystem=Ecosystem.NODE))

        assert_nobody_called(listener)
    assert (built.modules / "evil" / "attack.js").exists()
    assert not (built.modules / "evil" / "report.json").exists()
    assert_no_mark(lab)


def test_a_hostile_script_of_npm_that_was_allowed_leaves_no_mark(
    index: PackageIndex, environments: Environments, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_npm()
    monkeypatch.setenv("SKILLLITE_CANARY", SECRET)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        facts = facts_for(lab, listener.getsockname()[1])
        add_evil_to_npm(index, facts)

        built = environments.ensure(wanting("evil", ecosystem=Ecosystem.NODE), allow_build=True)

        assert_nobody_called(listener)
        report = json.loads((built.modules / "evil" / "report.json").read_text(encoding="utf-8"))
        assert report == dict.fromkeys(report, False)
        assert_no_mark(lab)
        control = lab.root / "attack.js"
        control.write_text(NODE_ATTACK, encoding="utf-8")
        (lab.root / "facts").write_text(json.dumps(facts), encoding="utf-8")
        subprocess.run(["node", str(control)], check=True, timeout=60)
        achieved = json.loads((lab.root / "report.json").read_text(encoding="utf-8"))
        assert achieved == dict.fromkeys(achieved, True)


def add_evil_to_npm(index: PackageIndex, facts: dict[str, object]) -> None:
    index.add_npm(
        "evil",
        "1.0.0",
        {"attack.js": NODE_ATTACK, "facts": json.dumps(facts), "index.js": ""},
        scripts={"postinstall": "node attack.js"},
    )


def require_npm() -> None:
    require("node")
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")


def test_node_packages_are_installed_with_what_they_need(
    index: PackageIndex, environments: Environments
) -> None:
    require_npm()
    index.add_npm("inner", "2.1.0", {"index.js": "module.exports = 41;"})
    index.add_npm(
        "outer",
        "1.0.0",
        {"index.js": "module.exports = require('inner') + 1;"},
        dependencies={"inner": "^2.0.0"},
    )

    built = environments.ensure(wanting("outer@^1", ecosystem=Ecosystem.NODE))

    said = subprocess.run(
        ["node", "-p", "require('outer')"],
        env={"NODE_PATH": str(built.modules), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert said.stdout == "42\n", said.stderr
    assert {each.name for each in built.packages} == {"inner", "outer"}


# First runs at once

ENSURE = """
import json, os, sys
from pathlib import Path
from skilllite_sandbox.capabilities import Package
from skilllite_sandbox.environment.builder import SandboxBuilder
from skilllite_sandbox.environment.installed import remove_tree
from skilllite_sandbox.environment.needs import target_of
from skilllite_sandbox.environment.requirements import (
    DependencySet, Ecosystem, normal_requirements
)
from skilllite_sandbox.environment.store import Environments
from skilllite_sandbox.host import read_host

host = read_host()
environments = Environments(
    Path(sys.argv[1]), lambda: SandboxBuilder(host, environ=json.loads(sys.argv[2]))
)
python = Ecosystem.PYTHON
wishes = normal_requirements([Package("python", "popular", "f")], python)
print(environments.ensure(DependencySet(target_of(python, host), wishes)).digest)
"""


def test_ten_first_runs_at_once_build_one_environment(index: PackageIndex, tmp_path: Path) -> None:
    index.add_wheel("popular", "1.0", {"popular.py": ""})
    arguments = [sys.executable, "-c", ENSURE, str(tmp_path / "env"), json.dumps(index.environ)]

    running = [
        subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(FIRST_RUNS)
    ]
    said = [process.communicate(timeout=PROCESS_S) for process in running]

    assert all(process.returncode == 0 for process in running), said
    assert len({out for out, _ in said}) == 1
    assert index.downloads(".whl") == 1
    assert len(list((tmp_path / "env" / "by-digest").iterdir())) == 1


def test_ten_threads_at_once_build_one_environment(
    index: PackageIndex, environments: Environments
) -> None:
    index.add_wheel("popular", "1.0", {"popular.py": ""})
    found: list[str] = []
    threads = [
        threading.Thread(
            target=lambda: found.append(environments.ensure(wanting("popular")).digest)
        )
        for _ in range(FIRST_RUNS)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PROCESS_S)

    assert len(found) == FIRST_RUNS and len(set(found)) == 1
    assert index.downloads(".whl") == 1


def test_an_ordinary_user_builds_the_same_environment(index: PackageIndex) -> None:
    index.add_wheel("popular", "1.0", {"popular.py": ""})
    with open_lab(as_user=OTHER_USER) as lab:
        own = lab.root / "own"
        own.mkdir()
        os.chown(own, OTHER_USER, OTHER_USER)
        programs = lab.root / "bin"
        programs.mkdir(mode=0o755)
        from uv import find_uv_bin

        shutil.copy(find_uv_bin(), programs / "uv")
        (programs / "uv").chmod(0o755)
        user = str(OTHER_USER)
        done = subprocess.run(
            [
                *("setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--"),
                *("/usr/bin/python3", "-c", ENSURE, str(own / "env"), json.dumps(index.environ)),
            ],
            env={
                "PATH": f"{programs}:/usr/bin:/bin",
                "PYTHONPATH": str(lab.root / "packages"),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            capture_output=True,
            text=True,
            timeout=PROCESS_S,
        )
        assert done.returncode == 0, done.stderr
        digest = done.stdout.strip()
        assert (own / "env" / "by-digest" / digest / "site-packages" / "popular.py").exists()
