"""Advisories are fetched whole or not at all, and what was there stays when it fails."""

from __future__ import annotations

import contextlib
import io
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisory_server import Request, Server, advisory_record, advisory_server, archive_of
from skilllite_sandbox.supply import fetch, update
from skilllite_sandbox.supply.database import AdvisoryDatabase, write_database
from skilllite_sandbox.supply.dependency import Ecosystem
from skilllite_sandbox.supply.fetch import SourceUnreachable, get_bytes
from skilllite_sandbox.supply.update import Updated, records_of, update_advisories

PYPI = Ecosystem.PYPI
PATH = "/PyPI/all.zip"
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
ONE = advisory_record("GHSA-1111-1111-1111", "Thing", fixed="2.0")


@pytest.fixture
def server() -> Iterator[Server]:
    with advisory_server() as found:
        found.routes[PATH] = (200, {"ETag": '"one"'}, archive_of(ONE))
        yield found


def fetched(directory: Path, server: Server) -> Updated:
    return update_advisories(directory, PYPI, server.url, now=lambda: NOW)


def ids_about(directory: Path, name: str) -> list[str] | None:
    with AdvisoryDatabase(directory) as database:
        found = database.about(PYPI, name)
    return None if found is None else [each.id for each in found]


def test_what_was_fetched_is_found_by_name(server: Server, tmp_path: Path) -> None:
    done = fetched(tmp_path / "advisories", server)

    assert done.changed
    assert done.snapshot.count == 1
    assert done.snapshot.fetched_at == "2026-11-26T12:00:00Z"
    assert done.snapshot.newest == "2026-11-01T00:00:00Z"
    assert ids_about(tmp_path / "advisories", "thing") == ["GHSA-1111-1111-1111"]
    assert ids_about(tmp_path / "advisories", "other") == []


def test_without_data_nothing_is_known(tmp_path: Path) -> None:
    assert ids_about(tmp_path, "thing") is None
    assert not list(tmp_path.iterdir()), "looking leaves nothing behind"


def test_the_second_time_only_the_tag_is_sent(server: Server, tmp_path: Path) -> None:
    def unchanged(request: Request) -> tuple[int, dict[str, str], bytes]:
        same = request.headers.get("If-None-Match") == '"one"'
        return (304, {}, b"") if same else (200, {"ETag": '"one"'}, archive_of(ONE))

    server.routes[PATH] = unchanged
    fetched(tmp_path, server)

    again = fetched(tmp_path, server)

    assert not again.changed
    assert again.snapshot.count == 1
    assert len(server.asked(PATH)) == 2


def test_another_source_is_not_asked_for_changes_to_the_first(
    server: Server, tmp_path: Path
) -> None:
    fetched(tmp_path, server)
    server.routes["/mirror" + PATH] = (200, {}, archive_of(ONE))

    update_advisories(tmp_path, PYPI, f"{server.url}/mirror", now=lambda: NOW)

    assert "If-None-Match" not in server.asked("/mirror" + PATH)[0].headers


def test_a_new_collection_replaces_the_old_one(server: Server, tmp_path: Path) -> None:
    fetched(tmp_path, server)
    other = advisory_record("GHSA-2222-2222-2222", "other")
    server.routes[PATH] = (200, {}, archive_of(other))

    fetched(tmp_path, server)

    assert ids_about(tmp_path, "thing") == []
    assert ids_about(tmp_path, "other") == ["GHSA-2222-2222-2222"]


BROKEN = archive_of(ONE)
FAILURES = {
    "not there": (404, {}, b""),
    "an error": (500, {}, b""),
    "no zip": (200, {}, b"<html>sorry</html>"),
    "half a zip": (200, {}, BROKEN[: len(BROKEN) // 2]),
    "a damaged zip": (200, {}, BROKEN[:60] + b"\xff" * 20 + BROKEN[80:]),
    "an empty zip": (200, {}, archive_of()),
    "no records": (200, {}, archive_of("[]", "{", {"id": 5}, {"id": "X-1"})),
    "less than it says": (200, {"Content-Length": str(len(BROKEN) + 10)}, BROKEN),
    "a redirect to an unprotected place": (302, {"Location": "http://192.0.2.1/"}, b""),
    "a redirect to a file": (302, {"Location": "file:///etc/passwd"}, b""),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_what_was_there_stays_when_an_update_fails(
    failure: str, server: Server, tmp_path: Path
) -> None:
    fetched(tmp_path, server)
    before = (tmp_path / "pypi.sqlite3").read_bytes()
    server.routes[PATH] = FAILURES[failure]

    with pytest.raises(SourceUnreachable):
        fetched(tmp_path, server)

    assert (tmp_path / "pypi.sqlite3").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["pypi.sqlite3"]


def test_a_redirect_on_this_machine_is_followed_and_a_circle_is_not(
    server: Server, tmp_path: Path
) -> None:
    server.routes["/moved"] = (302, {"Location": f"{server.url}/there"}, b"")
    server.routes["/there"] = (200, {}, b"here")
    server.routes["/circle"] = (302, {"Location": f"{server.url}/circle"}, b"")

    assert get_bytes(f"{server.url}/moved", 100, 5) == b"here"
    with pytest.raises(SourceUnreachable):
        get_bytes(f"{server.url}/circle", 100, 5)
    assert len(server.asked("/circle")) <= fetch.REDIRECTS_MAX + 2


def test_an_answer_beyond_its_bounds_is_refused(server: Server) -> None:
    server.routes["/large"] = (200, {}, b"x" * 200)
    server.routes["/endless"] = (200, {"Content-Length": ""}, b"x" * 200)

    for path in ("/large", "/endless"):
        with pytest.raises(SourceUnreachable, match=r"limit|more than"):
            get_bytes(server.url + path, 100, 5)


def test_an_answer_that_takes_too_long_is_refused(server: Server) -> None:
    server.routes["/slow"] = (200, {}, b"x")
    ticks = iter([0.0, 100.0])

    with (
        fetch.requested(f"{server.url}/slow") as (_, answer),
        pytest.raises(SourceUnreachable, match="longer"),
    ):
        assert answer is not None
        list(fetch.read_bounded(answer, 100, 5, clock=lambda: next(ticks)))


@pytest.mark.parametrize(
    "url", ["http://example.invalid/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "nonsense", ""]
)
def test_only_protected_addresses_or_this_machine_are_asked(url: str) -> None:
    with pytest.raises(SourceUnreachable):
        get_bytes(url, 100, 5)


def test_nobody_there_is_unreachable(tmp_path: Path) -> None:
    with advisory_server() as gone:
        url = gone.url

    with pytest.raises(SourceUnreachable):
        update_advisories(tmp_path, PYPI, url)
    assert not list(tmp_path.iterdir())


def test_a_folder_of_the_same_layout_serves_without_a_network(tmp_path: Path) -> None:
    source = tmp_path / "source" / "PyPI"
    source.mkdir(parents=True)
    (source / "all.zip").write_bytes(archive_of(ONE))

    update_advisories(tmp_path / "kept", PYPI, str(tmp_path / "source"))

    assert ids_about(tmp_path / "kept", "thing") == ["GHSA-1111-1111-1111"]


@given(st.data())
def test_no_damaged_archive_stumbles_it(data: st.DataObject) -> None:
    archive = bytearray(archive_of(ONE, ONE))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(archive) - 1))
        archive[at : at + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=20))

    with contextlib.suppress(ValueError):
        for record in records_of(io.BytesIO(archive)):
            assert isinstance(record, dict)


def test_records_that_are_none_are_left_out_and_counted(server: Server, tmp_path: Path) -> None:
    gone = advisory_record("GHSA-3333-3333-3333", "thing", withdrawn="2026-11-02T00:00:00Z")
    server.routes[PATH] = (200, {}, archive_of(ONE, "{", {"no": "id"}, gone))

    done = fetched(tmp_path, server)

    assert (done.snapshot.count, done.refused) == (1, 2)
    assert ids_about(tmp_path, "thing") == ["GHSA-1111-1111-1111"]


def test_a_record_that_is_too_large_is_none(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(update, "RECORD_BYTES_MAX", 2000)
    large = advisory_record("GHSA-4444-4444-4444", "thing", details="x" * 3000)
    server.routes[PATH] = (200, {}, archive_of(ONE, large))

    assert fetched(tmp_path, server).refused == 1


@pytest.mark.parametrize(("bound", "value"), [("RECORDS_MAX", 1), ("UNPACKED_BYTES_MAX", 100)])
def test_an_archive_beyond_its_bounds_is_refused(
    bound: str, value: int, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(update, bound, value)
    server.routes[PATH] = (200, {}, archive_of(ONE, ONE))

    with pytest.raises(SourceUnreachable):
        fetched(tmp_path, server)


@pytest.mark.parametrize("damage", ["text", "empty", "other format", "link"])
def test_a_damaged_data_base_is_none(damage: str, server: Server, tmp_path: Path) -> None:
    fetched(tmp_path, server)
    path = tmp_path / "pypi.sqlite3"
    if damage == "link":
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    elif damage == "other format":
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA user_version = 99")
        connection.close()
    else:
        path.write_text("nonsense" * 100 if damage == "text" else "", encoding="utf-8")

    assert ids_about(tmp_path, "thing") is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damaged_data_base_stumbles_it(data: st.DataObject, tmp_path: Path) -> None:
    path = tmp_path / "pypi.sqlite3"
    meta = {"source": "here", "fetched_at": "now", "etag": "", "modified": ""}
    write_database(path, [ONE] * 3, meta)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 10))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)

    found = ids_about(tmp_path, "thing")

    assert found is None or set(found) <= {ONE["id"]}


def test_the_file_is_this_users_alone(server: Server, tmp_path: Path) -> None:
    fetched(tmp_path / "advisories", server)

    assert (tmp_path / "advisories").stat().st_mode & 0o077 == 0
    assert (tmp_path / "advisories" / "pypi.sqlite3").stat().st_mode & 0o077 == 0
