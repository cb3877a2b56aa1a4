"""`skilllite add` from everywhere: what it fetches, shows, asks, installs, and never leaves."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from skill_files import make_skill, skill_md
from skilllite import fetch as fetch_module
from skilllite import sources_git, sources_web
from skilllite.catalog import SkillCatalog
from skilllite.cli.main import main
from skilllite.config import load_config
from skilllite.errors import Refused
from skilllite.fetch import fetch
from skilllite.home import Home
from skilllite.install import Installer
from skilllite.review import Reviewer
from skilllite.sources import GitSource, LocalSource, parse_source
from skilllite.trust import open_guard, open_store
from skilllite_sandbox.archive import copy_tree
from skilllite_sandbox.digest import compute_digest
from skilllite_sandbox.errors import ConsentRequired, InvalidSkill
from skilllite_sandbox.integrity.manifest import decode_manifest
from skilllite_sandbox.integrity.manifest_files import read_manifest_file
from skilllite_sandbox.scan.finding import Finding, Kind, Severity
from skilllite_sandbox.scan.report import ScanReport, make_report

WAIT_S = 20.0


class Lab:
    def __init__(self, base: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.base = base
        self.home = Home.at(base / "home")
        self._capfd = capfd
        self.out = self.err = ""

    def __call__(self, *words: str) -> int:
        status = main(words)
        self.out, self.err = self._capfd.readouterr()
        return status

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def installed(self) -> list[str]:
        return sorted(each.name for each in self.home.skills.iterdir())

    def nothing_is_left(self) -> bool:
        left = list(self.home.incoming.iterdir()) if self.home.incoming.exists() else []
        hidden = [each for each in self.home.skills.iterdir() if each.name.startswith(".")]
        return not left and not hidden

    def manifest_of(self, name: str) -> Any:
        guard = open_guard(self.home)
        registered = guard.record_of(str(self.home.skills / name))
        assert registered is not None
        data = read_manifest_file(guard.place, f"home/{name}", registered)
        return decode_manifest(data).facts

    def installer(self, reviewer: Reviewer, *findings: Finding) -> Installer:
        def scan(directory: Path) -> ScanReport:
            return make_report(compute_digest(directory), findings, frozenset())

        catalog = SkillCatalog.for_project(None, self.home)
        self.home.prepare()
        return Installer(
            root=self.home.skills,
            catalog=catalog,
            store=open_store(self.home),
            denylist=open_guard(self.home).denylist.current(),
            scan=scan,
            reviews=[reviewer.review],
        )


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Lab:
    monkeypatch.setenv("SKILLLITE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SKILLLITE_ADD_HOST", f"file://{tmp_path}/host")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return Lab(tmp_path, capfd)


def git(*words: str, at: Path) -> str:
    identity = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com"}
    identity |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com"}
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(at), **identity}
    done = subprocess.run(
        ["git", *words], cwd=at, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def make_repository(lab: Lab, *skills: str, name: str = "host/owner/repo.git") -> Path:
    place = lab.base / name
    place.mkdir(parents=True)
    git("init", "--quiet", "--initial-branch=main", at=place)
    for folder in skills:
        skill = make_skill(place, folder, text=skill_md(folder.rpartition("/")[2]))
        (skill / "run.sh").write_text("echo\n")
        (skill / "run.sh").chmod(0o755)
    (place / "README.md").write_text("about\n")
    commit(place, "first")
    return place


def commit(place: Path, message: str) -> str:
    git("add", "--all", at=place)
    git("commit", "--quiet", "--message", message, at=place)
    return git("rev-parse", "HEAD", at=place)


def test_one_skill_of_a_repository_of_the_default_host(lab: Lab) -> None:
    place = make_repository(lab, "skills/one", "skills/two")
    head = git("rev-parse", "HEAD", at=place)

    assert lab("add", "owner/repo@two", "--json") == 0
    assert lab.json["source"] == {
        "kind": "git",
        "source": f"file://{lab.base}/host/owner/repo.git",
        "ref": "",
        "commit": head,
        "subfolder": "skills/two",
        "archive_sha256": "",
    }
    assert lab.json["tier"] == "community"
    assert lab.json["digest"] == compute_digest(place / "skills/two")
    assert lab.manifest_of("two").commit == head
    assert lab("add", "owner/repo/skills/one") == 0
    assert lab.installed == ["one", "two"]
    assert lab.nothing_is_left()


def test_several_skills_are_listed_and_none_is_added(lab: Lab) -> None:
    make_repository(lab, "skills/one", "skills/two")

    assert lab("add", "owner/repo") == 2
    assert "skills/one, skills/two" in lab.err
    assert "SOURCE@SKILL" in lab.err
    assert lab.installed == []


def test_a_reference_is_resolved_and_recorded(lab: Lab) -> None:
    place = make_repository(lab, "one")
    tagged = git("rev-parse", "HEAD", at=place)
    git("tag", "v1", at=place)
    (place / "one/more.txt").write_text("more")
    newer = commit(place, "second")
    address = f"file://{place}"

    assert lab("add", f"{address}#v1", "--json") == 0
    assert (lab.json["source"]["ref"], lab.json["source"]["commit"]) == ("v1", tagged)
    assert lab("add", address) == 3
    assert f"other content now, commit {newer[:12]}" in lab.err
    assert lab("add", f"{address}#v1") == 3
    assert "same content" in lab.err
    assert lab("add", f"{address}#{newer}", "--force", "--json") == 0
    assert lab.json["replaced"] is True
    assert lab.json["version"] == 2
    assert lab.manifest_of("one").commit == newer


@pytest.mark.parametrize(
    ("source", "status", "says"),
    [
        ("owner/absent", 5, "no repository"),
        ("owner/repo#absent", 5, "no absent in"),
        ("owner/repo@absent", 5, "no skill absent"),
        ("owner/repo/absent", 5, "no folder absent"),
        ("https://127.0.0.1:1/o/r", 3, "can't be fetched"),
    ],
)
def test_what_is_not_there_is_said(lab: Lab, source: str, status: int, says: str) -> None:
    make_repository(lab, "one")

    assert lab("add", source) == status
    assert says in lab.err
    assert lab.installed == []
    assert lab.nothing_is_left()


def test_links_and_submodules_are_refused_where_the_skill_is(lab: Lab) -> None:
    place = make_repository(lab, "fine", "linked", "nested")
    (place / "link-elsewhere").symlink_to("/etc")
    (place / "linked/link").symlink_to("/etc/passwd")
    other = make_repository(lab, "x", name="other")
    allow = ("-c", "protocol.file.allow=always")
    git(*allow, "submodule", "--quiet", "add", str(other), "nested/sub", at=place)
    commit(place, "second")

    assert lab("add", "owner/repo@fine") == 0
    assert lab("add", "owner/repo@linked") == 1
    assert "linked/link is a symbolic link" in lab.err
    assert lab("add", "owner/repo@nested") == 1
    assert "nested/sub is a submodule" in lab.err
    assert lab.installed == ["fine"]


def test_nothing_of_a_repository_or_of_the_user_is_executed(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make_repository(lab, "one")
    proof = lab.base / "executed"
    script = f"#!/bin/sh\ntouch {proof}\ncat\n"
    for hook in ("post-checkout", "reference-transaction", "post-merge", "pre-auto-gc"):
        for hooks in (place / ".git/hooks", lab.base / "hooks"):
            hooks.mkdir(exist_ok=True)
            (hooks / hook).write_text(script)
            (hooks / hook).chmod(0o755)
    (place / "one/.gitattributes").write_text("* filter=evil\n*.md export-subst ident\n")
    (place / ".lfsconfig").write_text("[lfs]\n\tcustomtransfer = evil\n")
    commit(place, "second")
    proof.unlink()  # that was the hook: it works
    config = lab.base / "gitconfig"
    config.write_text(
        f"[core]\n\thooksPath = {lab.base}/hooks\n\tfsmonitor = {lab.base}/hooks/post-merge\n"
        f'[filter "evil"]\n\tsmudge = touch {proof}\n\trequired = true\n'
        f'[url "file:///nowhere"]\n\tinsteadOf = file://\n[init]\n\ttemplateDir = {lab.base}\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(config))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'core.hooksPath={lab.base}/hooks'")
    monkeypatch.setenv("GIT_DIR", str(lab.base / "elsewhere"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", f"touch {proof}")

    assert lab("add", "owner/repo") == 0, lab.err
    assert not proof.exists()
    assert compute_digest(lab.home.skills / "one") == compute_digest(place / "one")


def test_a_repository_that_is_too_large_or_slow_is_left(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_repository(lab, "one")
    monkeypatch.setattr(sources_git, "REPOSITORY_BYTES_MAX", 10)
    assert lab("add", "owner/repo") == 3
    assert "is larger than" in lab.err
    monkeypatch.undo()


def test_a_silent_server_is_given_up(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources_git, "FETCH_S_MAX", 1.0)
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as silent:
        # Nobody answers: the kernel takes the connection, and that is all.
        assert lab("add", f"http://127.0.0.1:{silent.server_port}/o/r.git") == 3

    assert "took longer than 1 s" in lab.err
    assert lab.nothing_is_left()


def archives(skill: Path) -> dict[str, bytes]:
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        for path in skill.rglob("*"):
            archive.write(path, Path("repo-main/skills/packed") / path.relative_to(skill))
    with tarfile.open(fileobj=tarred, mode="w:gz") as packed:
        packed.add(skill, "repo-main/skills/packed")
    return {"x.zip": zipped.getvalue(), "x.tar.gz": tarred.getvalue()}


@contextmanager
def web(pages: dict[str, bytes], redirects: dict[str, str]) -> Iterator[int]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path in redirects:
                self.send_response(302)
                self.send_header("Location", redirects[path])
                self.end_headers()
            elif path.lstrip("/") in pages:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(pages[path.lstrip("/")])
            else:
                self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join(WAIT_S)


@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz"])
def test_archives_come_from_here_and_from_the_web(lab: Lab, name: str) -> None:
    skill = make_skill(lab.base, "packed")
    packed = archives(skill)
    Path(name).write_bytes(packed[name])

    assert lab("add", name, "--json") == 0
    assert lab.json["digest"] == compute_digest(skill)
    assert lab.json["tier"] == "community"
    with web(packed, {"/a.zip": "/b.zip", "/b.zip": f"/{name}"}) as port:
        address = f"http://127.0.0.1:{port}/a.zip?x=1@packed#:skills"
        assert lab("add", address, "--force", "--json") == 0, lab.err
    assert lab.json["source"]["kind"] == "download"
    assert len(lab.json["source"]["archive_sha256"]) == 64
    assert lab.installed == ["packed"]
    assert lab.nothing_is_left()


@pytest.mark.parametrize(
    ("redirect", "status", "says"),
    [
        ("/x.zip", 3, "redirect"),
        ("http://192.0.2.1/x.zip", 3, "not encrypted"),
        ("file:///etc/passwd", 3, "not allowed"),
        ("/absent", 5, "nothing at"),
    ],
)
def test_redirects_are_bounded(lab: Lab, redirect: str, status: int, says: str) -> None:
    with web({}, {"/x.zip": redirect}) as port:
        assert lab("add", f"http://127.0.0.1:{port}/x.zip") == status

    assert says in lab.err
    assert lab.nothing_is_left()


def test_a_download_is_bounded(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources_web, "ARCHIVE_BYTES_MAX", 1000)
    with web({"x.zip": bytes(2000)}, {}) as port:
        assert lab("add", f"http://127.0.0.1:{port}/x.zip") == 3

    assert "is larger than" in lab.err
    assert lab.nothing_is_left()


def test_a_folder_with_several_skills_is_asked_for_one(lab: Lab) -> None:
    for name in ("one", "two"):
        make_skill(Path("repo"), name)

    assert lab("add", "repo") == 2
    assert lab("add", "repo@two", "--json") == 0
    assert (lab.json["name"], lab.json["tier"]) == ("two", "local")


HIGH = Finding("SL301", Severity.HIGH, Kind.INTENT, "scripts/main.py", 1, "sends what it reads")
CRITICAL = Finding("SL301", Severity.CRITICAL, Kind.INTENT, "scripts/main.py", 1, "steals keys")


def install(lab: Lab, reviewer: Reviewer, *findings: Finding) -> None:
    skill = make_skill(Path("src"), "report")
    installer = lab.installer(reviewer, *findings)
    with fetch(LocalSource(str(skill)), "report", lab.home.incoming, say=print) as fetched:
        installer.install(fetched, replace=False)


def test_what_the_scanner_blocks_is_not_installed_whoever_agrees(lab: Lab) -> None:
    with pytest.raises(Refused, match="the scanner blocks it"):
        install(lab, Reviewer(ask=lambda lines: True), CRITICAL)

    assert lab.installed == []
    assert open_guard(lab.home).register.read().skills == {}


def test_a_review_needs_a_person(lab: Lab) -> None:
    with pytest.raises(ConsentRequired) as caught:
        install(lab, Reviewer(ask=lambda lines: None), HIGH)

    assert caught.value.hint is not None and "in a terminal" in caught.value.hint
    assert lab.installed == []


def test_a_person_decides_about_a_review(lab: Lab, capfd: pytest.CaptureFixture[str]) -> None:
    questions: list[list[str]] = []

    def ask(lines: list[str]) -> bool:
        questions.append(lines)
        return len(questions) > 1

    reviewer = Reviewer(ask=ask)
    with pytest.raises(Refused, match="not installed"):
        install(lab, reviewer, HIGH)
    assert lab.installed == []
    lab.base.joinpath("work/src").rename(lab.base / "work/before")
    install(lab, reviewer, HIGH)

    assert lab.installed == ["report"]
    assert lab.manifest_of("report").verdict == "REVIEW"
    assert any("scripts/main.py:1 sends what it reads" in line for line in questions[0])
    assert "scripts/main.py:1 sends what it reads" in capfd.readouterr().err


def test_no_flag_answers_for_the_person(lab: Lab) -> None:
    make_skill(Path(), "report")

    assert lab("add", "report", "--yes") == 2


def test_the_denylist_is_asked_before_anything_is_written(lab: Lab) -> None:
    make_skill(Path(), "report")
    lab.home.prepare()
    denied = {"schema": 1, "entries": [{"name": "rep*", "reason": "steals"}]}
    Path(lab.home.denylist_name).write_text(json.dumps(denied))

    assert lab("add", "report") == 3
    assert "steals" in lab.err
    assert lab.installed == []


def test_a_tampered_register_is_not_continued(lab: Lab) -> None:
    make_skill(Path(), "report")
    make_skill(Path(), "other")
    lab("add", "report")
    (lab.home.integrity / "register").write_bytes(b"{}\n00\n")

    assert lab("add", "other") == 3
    assert lab.installed == ["report"]


def test_an_interrupt_leaves_nothing(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    make_repository(lab, "one")

    def interrupt(*_: object, **__: object) -> ScanReport:
        raise KeyboardInterrupt

    monkeypatch.setattr("skilllite.scanning.scan_newcomer", interrupt)

    assert lab("add", "owner/repo") == 130
    assert lab.installed == []
    assert lab.nothing_is_left()
    assert lab("audit", "report", "--event", "skill.", "--json") == 0
    last = lab.json["entries"][-1]
    assert (last["event"], last["facts"]["code"]) == ("skill.refused", "interrupted")


def test_what_fails_after_the_installation_does_not_hide_it_from_the_log(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_skill(Path(), "report")

    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("skilllite.hide_at_add.HideAtAdd.keep", fail)

    assert lab("add", "report") == 1
    assert lab.installed == ["report"]
    assert lab("audit", "report", "--event", "skill.", "--json") == 0
    last = lab.json["entries"][-1]
    assert (last["event"], last["facts"]["code"]) == ("skill.added", "failed")
    assert last["facts"]["skill"] == "report"


def test_the_end_of_the_process_leaves_nothing(lab: Lab) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as silent:
        address = f"http://127.0.0.1:{silent.server_port}/o/r.git"
        process = subprocess.Popen(
            [*(sys.executable, "-m", "skilllite", "add"), address],
            env={"PATH": os.environ["PATH"], "SKILLLITE_HOME": str(lab.home.data_dir)},
            stderr=subprocess.PIPE,
        )
        assert process.stderr is not None
        assert b"fetching" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 130
        process.stderr.close()

    assert lab.nothing_is_left()


def test_what_a_crash_left_is_removed_later(lab: Lab) -> None:
    old = lab.home.incoming / "1-abc"
    old.mkdir(parents=True)
    os.utime(old, (0, 0))
    half = lab.home.skills / ".incoming-1-abc"
    half.mkdir(parents=True)
    (half / "SKILL.md").touch()
    os.utime(half, (0, 0))
    make_repository(lab, "one")

    assert lab("add", "owner/repo") == 0
    assert not old.exists()
    assert lab.nothing_is_left()


def test_git_in_the_working_directory_is_never_taken_for_the_systems(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_repository(lab, "one")
    Path("git").write_text(f"#!/bin/sh\ntouch {lab.base}/executed\n")
    Path("git").chmod(0o755)
    monkeypatch.setenv("PATH", f".:{os.environ['PATH']}")

    assert lab("add", "owner/repo") == 0
    assert not (lab.base / "executed").exists()


def test_a_name_that_only_looks_like_one_in_a_listing_is_refused(lab: Lab) -> None:
    place = make_repository(lab, "one")
    (place / "one/a").write_text("1")
    (place / "one/A").write_text("2")
    commit(place, "second")
    source = parse_source("owner/repo", exists=lambda path: False, host=f"file://{lab.base}/host")
    assert isinstance(source, GitSource)

    lab.home.prepare()
    with (
        pytest.raises(InvalidSkill, match="'A' and 'a'"),
        fetch(source, "owner/repo", lab.home.incoming, say=print),
    ):
        pass


@pytest.mark.parametrize("words", [("add", "report", "--project"), ("init",)])
def test_a_link_of_a_project_puts_nothing_elsewhere(lab: Lab, words: tuple[str, ...]) -> None:
    make_skill(Path(), "report")
    (lab.base / "outside").mkdir()
    Path(".skills").symlink_to(lab.base / "outside")

    assert lab(*words) == 3
    assert "leads out of this folder" in lab.err
    assert list((lab.base / "outside").iterdir()) == []


def test_a_skill_is_not_added_to_itself(lab: Lab) -> None:
    Path("SKILL.md").write_text(skill_md("outer"))

    assert lab("add", ".", "--project") == 2
    assert "lies inside the skill" in lab.err
    assert [each.name for each in Path().iterdir()] == ["SKILL.md"]


def test_a_source_that_changes_its_name_meanwhile_is_refused(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    skill = make_skill(Path(), "report")

    def change_and_copy(*args: Any, **options: Any) -> str:
        (skill / "SKILL.md").write_text(skill_md("other"))
        return copy_tree(*args, **options)

    monkeypatch.setattr("skilllite.install.copy_tree", change_and_copy)

    assert lab("add", "report") == 1
    assert "changes while it is read" in lab.err
    assert lab.installed == []


def test_a_copy_that_is_exchanged_while_it_is_looked_at_is_refused(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_skill(Path(), "report")

    def copy_and_change(source: Path, copy: Path, **options: Any) -> str:
        digest = copy_tree(source, copy, **options)
        (copy / "scripts/main.py").write_text("print('other')")
        return digest

    monkeypatch.setattr("skilllite.install.copy_tree", copy_and_change)

    assert lab("add", "report") == 1
    assert "changes while it is read" in lab.err
    assert lab.installed == []
    assert lab.nothing_is_left()


def test_the_archive_that_is_recorded_is_the_one_that_was_unpacked(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = archives(make_skill(lab.base, "packed"))
    archive = Path("x.zip")
    archive.write_bytes(packed["x.zip"])
    unpack = fetch_module._unpack

    def exchange_and_unpack(path: Path, root: Path) -> None:
        archive.write_bytes(packed["x.tar.gz"])
        unpack(path, root)

    monkeypatch.setattr(fetch_module, "_unpack", exchange_and_unpack)

    assert lab("add", "x.zip", "--json") == 0, lab.err
    assert lab.json["source"]["archive_sha256"] == hashlib.sha256(packed["x.zip"]).hexdigest()


RULE = """
[[rule]]
id = "no-printing"
severity = "high"
message = "prints"
pattern = 'print\\('
"""


@pytest.mark.parametrize("suppressed", [False, True])
def test_the_rules_of_the_user_count_for_what_comes_in(lab: Lab, *, suppressed: bool) -> None:
    make_skill(Path(), "report", files={"scripts/main.py": "print(1)\n"})
    (lab.home.config_dir / "rules").mkdir(parents=True)
    (lab.home.config_dir / "rules/mine.toml").write_text(RULE)
    if suppressed:  # by its name, which anything can have
        entry = '[[suppress]]\ncode = "USER:no-printing"\nskill = "report"\nreason = "fine"\n'
        (lab.home.config_dir / "suppressions.toml").write_text(entry + "expires = 2999-01-01\n")

    assert lab("add", "report") == 4
    assert "USER:no-printing" in lab.err
    assert lab.installed == []


def test_a_lost_key_is_not_replaced(lab: Lab) -> None:
    make_skill(Path(), "report")
    make_skill(Path(), "other")
    lab("add", "report")
    (lab.home.keys / "sign.pem").unlink()

    assert lab("add", "other") == 3
    assert "is gone" in lab.err
    assert not (lab.home.keys / "sign.pem").exists()


def test_a_tree_that_bursts_stops_early(lab: Lab) -> None:
    place = make_repository(lab, "one")

    def run(*words: str, given: str) -> str:
        command = ["git", *words]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(lab.base)}
        done = subprocess.run(
            command, cwd=place, env=environment, input=given, text=True, capture_output=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    name = run("hash-object", "-w", "--stdin", given="x")
    kind, mode = "blob", "100644"
    for _ in range(9):  # ten to the power of nine paths, in ten objects
        listing = "".join(f"{mode} {kind} {name}\tentry-{number}\n" for number in range(10))
        name, kind, mode = run("mktree", given=listing), "tree", "040000"
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    bomb = run(*identity, "commit-tree", name, "-m", "bomb", given="")
    git("update-ref", "refs/heads/bomb", bomb, at=place)
    started = time.monotonic()

    assert lab("add", "owner/repo#bomb") == 3
    assert "more files than" in lab.err
    assert time.monotonic() - started < WAIT_S
    assert lab.nothing_is_left()


def test_a_project_does_not_say_where_skills_come_from(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SKILLLITE_ADD_HOST")
    Path(".env").write_text("SKILLLITE_ADD_HOST=https://evil.example.com\n")

    assert load_config(lab.home).text("add.host") == "https://github.com"


def test_a_pointer_of_git_lfs_is_not_taken_for_the_file(lab: Lab) -> None:
    place = make_repository(lab, "one")
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 9\n"
    (place / "one/model.bin").write_text(pointer)
    commit(place, "second")

    assert lab("add", "owner/repo") == 1
    assert "one/model.bin is kept by Git LFS" in lab.err
    assert lab.installed == []
