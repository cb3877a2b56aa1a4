"""Which index is used, what it may lead to, and that its password stays inside."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from skilllite_sandbox.environment.index import (
    Index,
    IndexSettings,
    file_targets,
    node_settings,
    python_settings,
    reachable_targets,
    read_node_settings,
    read_python_settings,
)
from skilllite_sandbox.environment.installers import (
    Installer,
    node_lock_step,
    python_install_step,
    python_lock_step,
)
from skilllite_sandbox.environment.lock import Lock
from skilllite_sandbox.environment.requirements import DependencySet, Ecosystem, Target
from skilllite_sandbox.errors import EnvironmentUnavailable

DEFAULT = "https://default.example/simple"
MINE = "https://mine.example/simple"
NO_ACCOUNT = 3_999_999_999  # a user id above any that systems give
SECRET_INDEX = "https://me:pass-3141@mine.example/simple"
UV = Installer(("/x/uv",), ("/x/uv",))


def no_page(index: Index, project: str, certificates: bytes) -> bytes:
    return b""


def test_the_default_of_the_tool_is_used_when_nothing_is_set() -> None:
    settings = python_settings({}, {}, DEFAULT)

    assert settings.default == Index(DEFAULT, configured=False)
    assert settings.extra == ()


@pytest.mark.parametrize(
    ("environ", "files"),
    [
        ({"UV_DEFAULT_INDEX": MINE, "PIP_INDEX_URL": "https://x.example"}, {}),
        ({"UV_INDEX_URL": MINE}, {"index-url": ["https://x.example"]}),
        ({"PIP_INDEX_URL": MINE}, {}),
        ({}, {"index-url": [MINE, "https://x.example"]}),
    ],
)
def test_a_person_chooses_the_index(environ: dict[str, str], files: dict[str, list[str]]) -> None:
    assert python_settings(environ, files, DEFAULT).default == Index(MINE, configured=True)


def test_more_indexes_are_kept_in_order_and_local_ones_said_to_be_left_out() -> None:
    settings = python_settings(
        {"UV_INDEX": "mine=https://mine.example/simple", "PIP_EXTRA_INDEX_URL": "file:///srv/x"},
        {"extra-index-url": ["https://b.example/simple"]},
        DEFAULT,
    )

    assert [index.url for index in settings.extra] == [MINE, "https://b.example/simple"]
    assert len(settings.ignored) == 1


def test_a_proxy_of_the_host_is_said_to_be_left_out() -> None:
    settings = python_settings({"https_proxy": "http://proxy.example:3128"}, {}, DEFAULT)

    assert len(settings.ignored) == 1 and "HTTPS_PROXY" in settings.ignored[0]


@pytest.mark.parametrize(
    "url", ["ftp://x.example", "file:///x", "not a url", "https://", "http://a:b"]
)
def test_what_is_no_address_of_an_index_is_refused(url: str) -> None:
    with pytest.raises(EnvironmentUnavailable) as refused:
        python_settings({"UV_DEFAULT_INDEX": url}, {}, DEFAULT)

    assert refused.value.hint


def test_files_of_the_user_are_read_and_those_of_a_project_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for name in ("uv.toml", "pip.conf"):
        (project / name).write_text('index-url = "https://evil.example/simple"\n', encoding="utf-8")
    home = tmp_path / "home"
    (home / ".config" / "pip").mkdir(parents=True)
    (home / ".config" / "pip" / "pip.conf").write_text(
        f"[global]\nindex-url = {MINE}\n", encoding="utf-8"
    )
    monkeypatch.chdir(project)
    says_default = tmp_path / "uv"
    says_default.write_text(
        f"#!/bin/sh\necho '--default-index <X> (by default: <{DEFAULT}>)'\n", encoding="utf-8"
    )
    says_default.chmod(0o755)

    settings = read_python_settings(str(says_default), {"HOME": str(home)})
    without = read_python_settings(str(says_default), {"HOME": str(project)})

    assert settings.default == Index(MINE, configured=True)
    assert without.default == Index(DEFAULT, configured=False)


def test_npm_says_its_registry() -> None:
    assert node_settings({}, {"registry": MINE}).default.url == MINE
    with pytest.raises(EnvironmentUnavailable):
        node_settings({}, {})


def test_npm_is_given_a_home_when_its_user_has_neither_the_variable_nor_an_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says_home = tmp_path / "npm"
    says_home.write_text(
        """#!/bin/sh\nprintf '{"registry": "http://index.example/%s"}' "$HOME"\n""",
        encoding="utf-8",
    )
    says_home.chmod(0o755)
    monkeypatch.setattr("os.getuid", lambda: 0)
    account = read_node_settings([str(says_home)], {})

    monkeypatch.setattr("os.getuid", lambda: NO_ACCOUNT)
    neither = read_node_settings([str(says_home)], {})
    variable = read_node_settings([str(says_home)], {"HOME": "mine"})

    assert neither.default.url == "http://index.example//"
    assert variable.default.url == "http://index.example/mine"
    assert account.default.url == "http://index.example/", "npm asks for the account's itself"


def test_the_hosts_of_files_are_those_that_the_page_links_to() -> None:
    page = b'<a href="https://files.example/a.whl#sha256=0">a</a> <a href="../../b.whl">b</a>'
    document = json.dumps({"files": [{"url": "https://cdn.example:8443/c.whl"}]}).encode()
    index = Index(MINE, configured=False)

    assert file_targets(index, "a", page) == ["files.example:443", "mine.example:443"]
    assert file_targets(index, "a", document) == ["cdn.example:8443"]
    assert file_targets(index, "a", b'href="javascript:x" href="file:///etc/passwd"') == []


@pytest.mark.parametrize(
    ("address", "is_reachable"),
    [
        ("10.1.2.3", True),
        ("192.168.1.9", True),
        ("100.64.0.7", True),
        ("127.0.0.1", True),
        ("fd12::5", True),
        ("169.254.169.254", False),
        ("169.254.1.1", False),
        ("fd00:ec2::254", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
    ],
)
def test_a_chosen_index_may_be_at_a_private_address_but_not_at_any(
    address: str, is_reachable: bool
) -> None:
    def at_that_address(host: str, port: int) -> Sequence[str]:
        return [address]

    for configured in (True, False):
        targets = reachable_targets(
            IndexSettings(Index(MINE, configured)),
            Ecosystem.PYTHON,
            "x",
            addresses_of=at_that_address,
            page_of=no_page,
        )
        named = [target for target in targets if target != "mine.example:443"]
        assert bool(named) == (is_reachable and configured)


def test_a_password_is_in_no_command_and_in_no_text() -> None:
    index = Index(SECRET_INDEX, configured=True)
    settings = IndexSettings(index)
    wanted = DependencySet(Target(Ecosystem.PYTHON, "3.11", "x86_64"), ("x",))
    step = python_lock_step(UV, "/python3", wanted, settings, "/w", allow_build=False)

    assert step.box.environment["UV_DEFAULT_INDEX"] == SECRET_INDEX
    assert "3141" not in index.shown + index.target + repr(step) + " ".join(step.box.command)


def test_a_password_is_never_beside_code_of_packages() -> None:
    settings = IndexSettings(Index(SECRET_INDEX, configured=True))
    python = DependencySet(Target(Ecosystem.PYTHON, "3.11", "x86_64"), ("x",))
    node = DependencySet(Target(Ecosystem.NODE, "20", "x86_64"), ("x@*",))
    lock = Lock("", ())

    with pytest.raises(EnvironmentUnavailable) as refused:
        python_install_step(UV, "/python3", lock, settings, "/w", allow_build=True, shipped=False)
    with pytest.raises(EnvironmentUnavailable):
        node_lock_step(UV, node, settings, "/w")

    assert "3141" not in f"{refused.value.message}{refused.value.cause}"
    assert python.requirements
