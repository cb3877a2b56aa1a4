"""What a service and an index say, and that anything else they say is no answer."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisory_server import Reply, Request, Server, advisory_record, advisory_server
from skilllite_sandbox.environment.index import Index
from skilllite_sandbox.supply import online
from skilllite_sandbox.supply.dependency import Ecosystem
from skilllite_sandbox.supply.fetch import SourceUnreachable
from skilllite_sandbox.supply.online import ask_advisories, ask_index

PYPI, NPM = Ecosystem.PYPI, Ecosystem.NPM
BATCH = "/v1/querybatch"


@pytest.fixture
def server() -> Iterator[Server]:
    with advisory_server() as found:
        yield found


def test_the_service_is_asked_for_all_packages_at_once(server: Server) -> None:
    record = advisory_record("GHSA-1111-1111-1111", "thing")
    server.serve_json(BATCH, {"results": [{"vulns": [{"id": record["id"]}]}, {}]})
    server.serve_json("/v1/vulns/GHSA-1111-1111-1111", record)
    packages = [(PYPI, "thing", "1.0"), (NPM, "other", "")]

    found = ask_advisories(packages, server.url)

    assert [each.id for each in found[packages[0]]] == ["GHSA-1111-1111-1111"]
    assert found[packages[1]] == ()
    (asked,) = server.asked(BATCH)
    assert json.loads(asked.body) == {
        "queries": [
            {"package": {"name": "thing", "ecosystem": "PyPI"}, "version": "1.0"},
            {"package": {"name": "other", "ecosystem": "npm"}},
        ]
    }


def test_further_pages_are_asked_for(server: Server) -> None:
    def paged(request: Request) -> Reply:
        (query,) = json.loads(request.body)["queries"]
        number = 2 if query.get("page_token") == "next" else 1
        said = {"vulns": [{"id": f"X-{number}"}]} | (
            {"next_page_token": "next"} if number == 1 else {}
        )
        return 200, {}, json.dumps({"results": [said]}).encode()

    server.routes[BATCH] = paged
    for number in (1, 2):
        server.serve_json(f"/v1/vulns/X-{number}", advisory_record(f"X-{number}", "thing"))

    found = ask_advisories([(PYPI, "thing", "1.0")], server.url)

    assert [each.id for each in found[PYPI, "thing", "1.0"]] == ["X-1", "X-2"]


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}, b""),
        (404, {}, b""),
        (200, {}, b"no json"),
        (200, {}, b"[]"),
        (200, {}, b'{"results": []}'),
        (200, {}, b'{"results": [{"vulns": [{"id": "X-1"}]}]}'),  # whose record is not there
        (200, {}, b'{"results": [{"next_page_token": "again"}]}'),
    ],
)
def test_any_other_answer_of_the_service_is_none(answer: Reply, server: Server) -> None:
    server.routes[BATCH] = answer

    with pytest.raises(SourceUnreachable):
        ask_advisories([(PYPI, "thing", "1.0")], server.url)


def index(server: Server) -> Index:
    return Index(f"{server.url}/simple", configured=True)


FILES = {
    "files": [
        {"filename": "my_thing-1.0-py3-none-any.whl", "yanked": "broken"},
        {"filename": "my-thing-1.0.tar.gz", "yanked": True},
        {"filename": "my_thing-1.1-py3-none-any.whl", "yanked": "broken"},
        {"filename": "my-thing-1.1.tar.gz", "yanked": False},
        {"filename": "my-thing-1.2rc1.tar.gz"},
        {"filename": "readme.txt"},
    ]
}
PAGE = """
<a href="x" data-yanked="broken">my_thing-1.0-py3-none-any.whl</a>
<a href="x" data-yanked="">my-thing-1.0.tar.gz</a>
<a href="x">my-thing-1.1.tar.gz</a> <a href="x">my-thing-1.2rc1.tar.gz</a>
"""


@pytest.mark.parametrize("content", [json.dumps(FILES), PAGE])
def test_an_index_of_python_says_what_exists_and_what_was_withdrawn(
    content: str, server: Server
) -> None:
    server.routes["/simple/my-thing/"] = (200, {}, content.encode())

    found = ask_index(PYPI, "my-thing", index(server))

    assert found.exists
    assert found.has(PYPI, "1.1.0") and not found.has(PYPI, "9.9")
    assert found.is_withdrawn(PYPI, "1.0") and not found.is_withdrawn(PYPI, "1.1")
    assert found.newest == "1.1", "a pre-release is not what is installed"


def test_a_registry_of_npm_says_the_same(server: Server) -> None:
    server.serve_json(
        "/simple/@scope%2Fthing",
        {
            "dist-tags": {"latest": "2.0.0"},
            "versions": {"1.0.0": {"deprecated": "use 2"}, "2.0.0": {}, "3.0.0-rc.1": {}},
        },
    )

    found = ask_index(NPM, "@scope/thing", index(server))

    assert found.is_withdrawn(NPM, "1.0.0") and not found.is_withdrawn(NPM, "2.0.0")
    assert found.newest == "2.0.0"


def test_a_name_that_is_only_held_does_not_exist(server: Server) -> None:
    server.serve_json("/simple/thing", {"versions": {"0.0.1-security": {}}})

    assert not ask_index(NPM, "thing", index(server)).exists
    assert not ask_index(NPM, "other", index(server)).exists


def test_credentials_of_the_installer_are_not_used(server: Server) -> None:
    secret = Index(server.url.replace("//", "//user:hunter2@"), configured=True)

    with pytest.raises(SourceUnreachable) as caught:
        ask_index(PYPI, "thing", secret)

    assert "hunter2" not in str(caught.value)
    assert not server.requests


def test_more_advisories_than_a_person_can_read_are_not_fetched(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(online, "RECORDS_MAX", 1)
    server.serve_json(BATCH, {"results": [{"vulns": [{"id": "X-1"}, {"id": "X-2"}]}]})

    with pytest.raises(SourceUnreachable):
        ask_advisories([(PYPI, "thing", "1.0")], server.url)


ANSWERS = st.dictionaries(
    st.sampled_from(["files", "versions", "dist-tags", "name"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["filename", "yanked", "latest", "1.0.0", "2.x", "deprecated"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    ),
)


@given(ANSWERS, st.text(max_size=200))
def test_no_answer_of_an_index_stumbles_it(answer: dict[str, object], page: str) -> None:
    for found in (
        online._npm_listing(answer),
        online._python_listing("thing", answer),
        online._python_page("thing", page),
    ):
        found.has(PYPI, "1.0")
        found.is_withdrawn(NPM, "1.0.0")
        assert found.newest in ("", *found.versions)
