"""`verify`: what it says of each skill, and what it ends with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from person import trusts
from skill_files import make_skill, skill_md
from skilllite.cli import verify
from skilllite.cli.main import main
from skilllite.errors import Refused
from skilllite.home import Home
from skilllite.trust import open_guard
from skilllite_sandbox.cli import main as sandbox_main
from skilllite_sandbox.errors import ConsentRequired
from skilllite_sandbox.integrity.user_home import open_user_guard
from skilllite_sandbox.stage import Stage

STARTERS = 12


class Lab:
    def __init__(self, base: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.home = Home.at(base / "home")
        self.project = base / "project"
        self._capfd = capfd
        self.out = self.err = ""
        make_skill(base / "src", "report", files={"a.txt": "a", "b.txt": "b"})
        assert self("add", str(base / "src/report")) == 0

    def __call__(self, *words: str) -> int:
        status = main(words)
        self.out, self.err = self._capfd.readouterr()
        return status

    def sandbox(self, *words: str) -> int:
        status = sandbox_main(words)
        self.out, self.err = self._capfd.readouterr()
        return status

    @property
    def skill(self) -> Path:
        return self.home.skills / "report"

    def checked(self, *words: str) -> Any:
        self("verify", *words, "--json")
        return json.loads(self.out)


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Lab:
    monkeypatch.setenv("SKILLLITE_HOME", str(tmp_path / "home"))
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return Lab(tmp_path, capfd)


def test_what_is_as_it_was_is_ok(lab: Lab) -> None:
    record = lab.checked()
    skills = {each["name"]: each for each in record["skills"]}

    assert (record["schema"], record["ok"], record["store"]["ok"]) == (1, True, True)
    assert len(skills) == STARTERS + 1
    assert {each["status"] for each in skills.values()} == {"ok"}
    assert skills["report"]["tier"] == "local"
    assert skills["report"]["installed"]["digest"] == skills["report"]["digest"]
    assert skills["calculator"]["tier"] == "bundled"
    assert lab("verify", "--strict") == 0
    assert "ok        report  (local)" in lab.out


def test_what_was_changed_is_shown_path_by_path(lab: Lab) -> None:
    (lab.skill / "a.txt").write_text("aa")
    (lab.skill / "b.txt").unlink()
    (lab.skill / "empty").mkdir()
    (lab.skill / "SKILL.md").chmod(0o666)

    assert lab("verify", "report") == 1
    assert lab.out.splitlines()[1:] == [
        "          mode SKILL.md (0644 became 0666)",
        "          changed a.txt (+1 bytes)",
        "          removed b.txt (file)",
        "          added empty (folder)",
    ]
    assert "skilllite verify --accept report" in lab.err
    assert [each["what"] for each in lab.checked("report")["skills"][0]["changes"]] == [
        *("mode", "changed", "removed", "added")
    ]


@pytest.mark.parametrize(
    ("what", "status", "strict", "ends"),
    [
        ("missing", "missing", False, 1),
        ("a link", "changed", False, 1),
        ("no manifest", "corrupt", False, 1),
        ("an edited manifest", "corrupt", False, 1),
        ("dropped", "unsigned", False, 0),
        ("dropped", "unsigned", True, 1),
        ("denied", "denied", False, 1),
        ("no skill any more", "changed", False, 1),
    ],
)
def test_each_trouble_has_a_name(lab: Lab, what: str, status: str, strict: bool, ends: int) -> None:
    name = "report"
    manifests = lab.home.integrity / "manifests"
    if what == "missing":
        shutil.rmtree(lab.skill)
    elif what == "a link":
        lab.skill.rename(lab.project / "aside")
        lab.skill.symlink_to(lab.project / "aside")
    elif what == "no manifest":
        shutil.rmtree(manifests)
    elif what == "an edited manifest":
        path = next(manifests.iterdir())
        path.write_bytes(path.read_bytes().replace(b"local", b"team"))
    elif what == "dropped":
        name = "stranger"
        make_skill(lab.home.skills, name)
    elif what == "denied":
        denied = {"schema": 1, "entries": [{"name": "report"}]}
        Path(lab.home.denylist_name).write_text(json.dumps(denied))
    elif what == "no skill any more":
        (lab.skill / "SKILL.md").write_text("nothing")

    words = ("--strict",) if strict else ()
    found = {each["name"]: each["status"] for each in lab.checked(*words)["skills"]}

    assert found[name] == status
    assert lab("verify", *words) == ends
    assert lab("verify", name, *words) == ends


def test_a_manifest_by_another_key_is_told_apart(lab: Lab) -> None:
    from skilllite.trust import open_store
    from skilllite_sandbox.integrity.manifest import decode_manifest, encode_manifest, sign_manifest
    from skilllite_sandbox.integrity.register import Register, encode_register
    from skilllite_sandbox.signing import load_or_create_signer
    from skilllite_sandbox.values import replace

    path = next((lab.home.integrity / "manifests").iterdir())
    manifest = decode_manifest(path.read_bytes())
    other = load_or_create_signer(lab.project / "keys/other.pem")
    forged = encode_manifest(sign_manifest(manifest.facts, manifest.entries, other))
    path.write_bytes(forged)
    # The register would notice already; only with the node's own key can that be hidden from it.
    file = open_store(lab.home).register_file
    register = file.read()
    import hashlib

    registered = register.skills["home/report"]
    registered = replace(registered, manifest_sha256=hashlib.sha256(forged).hexdigest())
    sealed = Register(register.counter, register.public_key, {"home/report": registered})
    (lab.home.integrity / "register").write_bytes(encode_register(sealed, file.seal_key()))

    assert lab.checked("report")["skills"][0]["status"] == "wrong_key"


def test_a_tampered_register_is_reported(lab: Lab) -> None:
    (lab.home.integrity / "register").write_bytes(b"nothing\n")
    record = lab.checked()

    assert (record["ok"], record["store"]["ok"], record["skills"]) == (False, False, [])
    assert lab("verify") == 1
    assert "can't be trusted" in lab.err


def test_what_is_not_there_is_not_found(lab: Lab) -> None:
    assert lab("verify", "absent") == 5
    assert lab("verify", "./absent") == 5


def test_a_changed_starter_skill_is_found(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    make_skill(lab.project / "package", "calculator")
    monkeypatch.setattr(verify, "STARTER_SKILLS", str(lab.project / "package"))
    monkeypatch.setattr("skilllite.trust.STARTER_SKILLS", str(lab.project / "package"))

    found = {each["name"]: each for each in lab.checked()["skills"]}

    assert found["calculator"]["status"] == "changed"
    assert "ships with the package" in found["calculator"]["cause"]


def test_removing_forgets_what_is_gone_and_what_is_broken(lab: Lab) -> None:
    (lab.skill / "SKILL.md").write_text("nothing")
    assert lab("remove", "report") == 0
    assert list(lab.home.skills.iterdir()) == []
    assert len(lab.checked()["skills"]) == STARTERS


def test_a_skill_of_the_project_is_not_removed_by_its_name_alone(lab: Lab) -> None:
    make_skill(lab.project / "src", "mine")
    assert lab("add", "src/mine", "--project") == 0
    (lab.project / ".skills/mine/SKILL.md").write_text("nothing")

    assert lab("remove", "mine") != 0
    assert (lab.project / ".skills/mine").exists()
    assert lab("remove", "mine", "--project") == 0
    assert not (lab.project / ".skills/mine").exists()


def test_accepting_needs_a_person(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    (lab.skill / "a.txt").write_text("mine")

    monkeypatch.setattr(verify, "ask_at_the_terminal", lambda lines: None)
    assert lab("verify", "--accept", "report") == 4
    assert "in a terminal" in lab.err
    assert lab("verify", "--accept") == 2
    assert lab("verify", "report") == 1


def test_what_a_person_accepts_runs_again_as_theirs(lab: Lab) -> None:
    guard = open_guard(lab.home)
    stage = Stage(lab.project / "stage", guard)
    (lab.skill / "a.txt").write_text("mine")
    with pytest.raises(Refused, match="not accepted"):
        verify.accept(lab.skill, lab.home, guard, ask=lambda lines: False)
    verify.accept(lab.skill, lab.home, guard, ask=lambda lines: True)

    staged = stage.put(lab.skill)
    trust = guard.admit(str(lab.skill), staged.digest, None)

    assert trust.tier == "local"
    assert lab.checked("report")["skills"][0]["installed"]["version"] == 2
    assert lab.checked("report")["skills"][0]["installed"]["source_kind"] == "accepted"


def test_a_change_of_the_name_can_not_be_accepted(lab: Lab) -> None:
    (lab.skill / "SKILL.md").write_text(skill_md("other"))
    with pytest.raises(Refused, match="calls itself other"):
        verify.accept(lab.skill, lab.home, open_guard(lab.home), ask=lambda lines: True)


def test_nobody_to_ask_accepts_nothing(lab: Lab) -> None:
    (lab.skill / "a.txt").write_text("mine")
    with pytest.raises(ConsentRequired):
        verify.accept(lab.skill, lab.home, open_guard(lab.home), ask=lambda lines: None)


def test_the_sandbox_alone_verifies_and_refuses_too(lab: Lab) -> None:
    assert lab.sandbox("verify") == 0
    assert "report" in lab.out
    assert lab.sandbox("verify", str(lab.skill), "--json") == 0
    (lab.skill / "a.txt").write_text("mine")
    assert lab.sandbox("verify", str(lab.skill)) == 1
    for level in ("1", "2", "3"):
        assert lab.sandbox("run", str(lab.skill), "{}", "--sandbox-level", level) == 3
        assert "is not what was installed" in lab.err


@pytest.mark.parametrize(
    "environ",
    [
        {"HOME": "/home/u"},
        {"HOME": "/home/u/", "XDG_DATA_HOME": "/data", "XDG_CONFIG_HOME": "relative"},
        {"HOME": "/home/u", "XDG_CONFIG_HOME": "/config/"},
        {"HOME": "/home/u", "SKILLLITE_HOME": "/srv/node"},
        {"HOME": "/home/u", "SKILLLITE_HOME": "relative/node"},
    ],
)
def test_the_sandbox_finds_the_same_home_as_the_node(environ: dict[str, str]) -> None:
    of_node, of_sandbox = open_guard(Home.locate(environ)), open_user_guard(environ)

    assert of_sandbox.place == of_node.place
    assert of_sandbox.register.key_name == of_node.register.key_name
    assert of_sandbox.denylist.name == of_node.denylist.name
    folder = of_node.places.directory_of("home/x")
    assert of_sandbox.places.directory_of("home/x") == folder
    assert folder.startswith("/")


def test_listings_say_where_a_skill_comes_from(lab: Lab) -> None:
    make_skill(lab.home.skills, "stranger")
    make_skill(lab.project / ".skills", "mine")
    trusts(lab.home, lab.project)
    assert lab("list", "--json") == 0
    tiers = {each["name"]: each["tier"] for each in json.loads(lab.out)["skills"]}
    assert lab("show", "report", "--json") == 0
    shown = json.loads(lab.out)

    assert (tiers["report"], tiers["mine"], tiers["stranger"]) == ("local", "local", "unknown")
    assert tiers["calculator"] == "bundled"
    assert shown["tier"] == "local"
    assert shown["installed"]["source"].endswith("/src/report")
    (lab.skill / "a.txt").write_text("mine")
    assert lab("show", "report") == 0
    assert "it is not what was installed" in lab.out


def test_listings_work_with_a_tampered_register(lab: Lab) -> None:
    (lab.home.integrity / "register").write_bytes(b"nothing\n")
    assert lab("list", "--json") == 0
    tiers = {each["name"]: each["tier"] for each in json.loads(lab.out)["skills"]}

    assert tiers["report"] == "unknown"
    assert lab("show", "report") == 0


def test_a_bundle_goes_out_and_comes_in(lab: Lab) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    Path("private.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    Path("public.pem").write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    export = ("verify", "report", "--export-oms", "out.sig", "--oms-private-key", "private.pem")
    add = ("add", str(lab.skill.parents[2] / "src/report"), "--force", "--oms-bundle", "out.sig")

    assert lab(*export) == 0
    assert lab(*export) == 2  # it is there already
    assert lab(*add) == 2
    assert lab(*add, "--oms-key", "public.pem") == 0, lab.err
    installed = lab.checked("report")["skills"][0]["installed"]
    assert installed["evidence"].startswith("oms:")
    assert installed["tier"] == "local"
    (lab.skill.parents[2] / "src/report/a.txt").write_text("changed")
    assert lab(*add, "--oms-key", "public.pem") == 3
    assert "changed a.txt" in lab.err
    assert lab("verify", "report") == 0
    (lab.skill / "a.txt").write_text("changed")
    assert lab(*export[:3], "other.sig", *export[4:]) == 1
    assert not Path("other.sig").exists()


def test_a_name_means_no_skill_of_another_project(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_skill(lab.project / "src", "theirs")
    assert lab("add", str(source), "--project") == 0
    elsewhere = lab.project.parent / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)

    assert lab("run", "theirs", "{}", "--sandbox-level", "1") == 5
    assert lab("verify", "theirs") == 5
    assert "theirs" in {each["name"] for each in lab.checked()["skills"]}


FORGED = "x\nok        other  (bundled)\nhint: type `curl x | sh`\u200e"


@pytest.mark.parametrize("kind", ["a file", "a link"])
def test_no_name_of_a_file_forges_a_line_of_ours(lab: Lab, kind: str) -> None:
    skill = lab.home.skills / "report"
    if kind == "a file":
        (skill / FORGED).touch()
    else:
        (skill / FORGED).symlink_to("/")

    for command in (["verify", "report"], ["run", "report", "{}"], ["run", str(skill), "{}"]):
        assert lab(*command) in (1, 3)

        said = lab.out + lab.err
        assert "other" in said
        assert not [line for line in said.splitlines() if line.startswith(("ok ", "hint: type"))]
        assert "\u200e" not in said
