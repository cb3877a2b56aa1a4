"""What a skill asks for, and what follows from what it gets."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skilllite_sandbox.capabilities import (
    NOTHING_GRANTED,
    Grants,
    Package,
    Requests,
    is_idempotent,
    missing_clauses,
)
from skilllite_sandbox.declarations import REQUESTED_MAX, mentions_network, read_requests
from skilllite_sandbox.entry import Language
from skilllite_sandbox.manifest import Manifest

PYTHON_ONLY = frozenset({Language.PYTHON})


def requests(
    *, compatibility: str = "", tools: tuple[str, ...] = (), **metadata: str
) -> tuple[Requests, list[str]]:
    own = {f"skilllite.{key}": value for key, value in metadata.items()}
    manifest = Manifest("demo", "d", "", compatibility, own, tools)
    found, problems = read_requests(manifest, ())
    return found, [problem.message for problem in problems]


@pytest.mark.parametrize(
    "prose",
    [
        "Requires Python 3.x with requests library, network access",
        "Requires network access",
        "Needs internet",
        "Requires git, docker, jq, and access to the internet",
        "Requires an active internet connection",
        "network: yes",
        "Requires network",
        "Works offline; online mode needs network access",
        "No packages, but network access",
        "Calls the weather service, web access required",
        "Makes HTTP requests",
        "Python 3 without extra packages. Requires network access.",
        "NETWORK ACCESS",
    ],
)
def test_prose_that_asks_for_network(prose: str) -> None:
    assert mentions_network(prose)


@pytest.mark.parametrize(
    "prose",
    [
        "",
        "No network",
        "no network access needed",
        "Works without network access",
        "Works without internet",
        "Network access is not required",
        "network: none",
        "Doesn't need internet",
        "Python 3.11 or later; no network, no packages",
        "Fully offline, no internet connection",
        "rapid capital",
        "Rapid prototyping for venture capital",
        "Requires Python 3.x with networkx library",
        "Neural network weights included",
        "Draws network diagrams",
        "Social network analysis with pandas",
        "Requires Python 3 with requests library",
        "Designed for Claude Code (or similar products)",
    ],
)
def test_prose_that_asks_for_no_network(prose: str) -> None:
    assert not mentions_network(prose)


def test_hosts_come_from_the_metadata() -> None:
    found, problems = requests(network="API.example.com, cdn.example.com:8443 10.0.0.1 [::1]:80")

    assert found.network == ("api.example.com", "cdn.example.com:8443", "10.0.0.1", "[::1]:80")
    assert problems == []


@pytest.mark.parametrize(
    "host",
    [
        *("*", "*.example.com", "https://example.com", "a/b", "a:0", "a:65536", "a:", "a:b", "-a"),
        *("a..b", "[::1", "[nonsense]", "::1", "x" * 64, "ä.example", "a@b", "a:80:90", "\x1b[2J"),
    ],
)
def test_what_is_no_host_is_a_problem_and_left_out(host: str) -> None:
    found, problems = requests(network=f"good.example {host}")

    assert found.network == ("good.example",)
    assert len(problems) == 1


def test_hosts_nobody_could_read_are_cut() -> None:
    found, problems = requests(network=" ".join(f"h{n}.example" for n in range(1000)))

    assert len(found.network) == REQUESTED_MAX
    assert len(problems) == 1


def test_programs_are_names_without_a_path() -> None:
    found, problems = requests(exec="git jq /bin/sh ../x g++ git")

    assert found.exec == ("git", "jq", "g++")
    assert len(problems) == 2


@pytest.mark.parametrize(
    ("tools", "rules"),
    [
        (("Bash(git:*)", "Read", "Bash(npm run:*)"), ("git:*", "npm run:*")),
        (("Bash",), ("*",)),
        (("Bashful", "Read(x)"), ()),
    ],
)
def test_bash_tools_come_from_allowed_tools(tools: tuple[str, ...], rules: tuple[str, ...]) -> None:
    assert requests(tools=tools)[0].bash_tools == rules


@pytest.mark.parametrize(
    ("text", "value", "problems"),
    [("true", True, 0), ("False", False, 0), ("yes", False, 1), ("", False, 0)],
)
def test_the_authors_word_on_repeating(text: str, value: bool, problems: int) -> None:
    found, messages = requests(idempotent=text)

    assert (found.idempotent, len(messages)) == (value, problems)


def test_a_skill_that_reaches_nothing_may_be_repeated_whatever_it_says() -> None:
    assert is_idempotent(Requests(idempotent=False, network=("a.example",)), NOTHING_GRANTED)


@pytest.mark.parametrize(
    "grants", [Grants(network=("a.example",)), Grants(exec=("git",)), Grants(workspace=True)]
)
def test_with_a_grant_the_authors_word_decides(grants: Grants) -> None:
    assert not is_idempotent(Requests(), grants)
    assert is_idempotent(Requests(idempotent=True), grants)


def test_a_rule_for_bash_that_is_not_understood_is_a_problem() -> None:
    found, problems = requests(tools=("Bash(git:*)", "Bash(ls > x)", "Bash(./run:*)"))

    assert found.bash_tools == ("git:*", "ls > x", "./run:*")
    assert len(problems) == 2
    assert "Bash(ls > x) allows nothing" in problems[0]
    assert "`./run` is a path" in problems[1]


def test_each_thing_that_is_missing_is_one_clause() -> None:
    everything = Requests(
        network=("a.example",),
        network_mentioned=True,
        packages=(Package("python", "requests>=2", "compatibility"),),
        exec=("git",),
        bash_tools=("git:*",),
    )

    clauses = missing_clauses(everything, frozenset({Language.TYPESCRIPT}))

    assert len(clauses) == 3
    for clause, words in zip(clauses, ("a.example", "git", "TypeScript"), strict=True):
        assert words in clause


def test_of_programs_only_those_that_are_not_granted_are_missing() -> None:
    found = Requests(exec=("git", "jq"))

    assert missing_clauses(found, PYTHON_ONLY, Grants(exec=("git",))) == (
        "programs (jq) are not granted, --allow-exec NAME does that",
    )
    assert missing_clauses(found, PYTHON_ONLY, Grants(exec=("jq", "git"))) == ()


def test_a_skill_that_asks_for_nothing_lacks_nothing() -> None:
    assert missing_clauses(Requests(), PYTHON_ONLY) == ()


def test_network_from_prose_alone_is_said_too() -> None:
    assert missing_clauses(Requests(network_mentioned=True), PYTHON_ONLY) == (
        "network is not granted, --allow-network HOST does that",
    )


def test_long_lists_are_shortened() -> None:
    hosts = tuple(f"h{n}.example" for n in range(9))

    (clause,) = missing_clauses(Requests(network=hosts), PYTHON_ONLY)

    assert "h4.example and 4 more" in clause


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=40))
def test_any_text_is_read_without_a_crash(prose: str, hosts: str, tool: str) -> None:
    found, _ = requests(compatibility=prose, network=hosts, exec=hosts, tools=(tool,))

    assert missing_clauses(found, PYTHON_ONLY) is not None
