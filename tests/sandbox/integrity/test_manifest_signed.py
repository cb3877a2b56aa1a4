"""Manifests: what is signed, and that nothing of it can be changed."""

from __future__ import annotations

import json
import os
import struct
from dataclasses import fields, replace
from pathlib import Path

import pytest

from skill_files import make_skill
from skilllite_sandbox.digest import compute_digest
from skilllite_sandbox.errors import InvalidSkill
from skilllite_sandbox.integrity.entries import Entry, differences, digest_of, read_entries
from skilllite_sandbox.integrity.manifest import (
    Facts,
    InvalidManifest,
    Manifest,
    canonical_bytes,
    decode_manifest,
    encode_manifest,
    open_manifest,
    sign_manifest,
)
from skilllite_sandbox.integrity.modes import modes_of_entries, modes_of_stamp
from skilllite_sandbox.signing import Ed25519Verifier, load_or_create_signer
from skilllite_sandbox.stamps import stamp_of

SMALL: dict[str, str | bytes] = {
    "scripts/main.py": "print(1)\n",
    "data/ä.txt": b"\x00\xff",
    ".hidden": "",
}


def make_signed(tmp_path: Path) -> tuple[Path, Manifest]:
    skill = make_skill(tmp_path, "small", files=SMALL)
    (skill / "empty").mkdir()
    entries = read_entries(skill)
    facts = Facts("home/small", "small", digest_of(entries), 1, 1_800_000_000, "community", "here")
    signer = load_or_create_signer(tmp_path / "keys/sign.pem")
    return skill, sign_manifest(facts, entries, signer)


def test_entries_give_the_digest_and_the_modes_that_a_run_computes(tmp_path: Path) -> None:
    skill, manifest = make_signed(tmp_path)
    for given in (str(skill), f"{skill}/", os.path.relpath(skill)):
        assert modes_of_stamp(stamp_of(given), given) == manifest.modes

    assert digest_of(manifest.entries) == compute_digest(skill)


def test_the_canonical_form_is_what_the_module_says() -> None:
    facts = Facts("p", "n", "d", 2, 3, "local", "s")
    entries = (
        Entry("", "folder", 0o755, 0, ""),
        Entry("é", "file", 0o644, 5, "ab" * 32),
    )

    def text(value: str) -> bytes:
        return struct.pack(">I", len(value.encode())) + value.encode()

    names = [each.name for each in fields(Facts)]
    values = ("p", "n", "d", "2", "3", "local", "s", "folder", "", "", "", "", "", "", "", "0")
    expected = b"skilllite skill manifest 1\n" + struct.pack(">I", len(names))
    for name, value in zip(names, values, strict=True):
        expected += text(name) + text(value)
    expected += struct.pack(">I", 2) + text("") + b"d" + struct.pack(">IQ", 0o755, 0) + bytes(32)
    expected += text("é") + b"f" + struct.pack(">IQ", 0o644, 5) + b"\xab" * 32

    assert names[:4] == ["place", "name", "digest", "version"]
    assert canonical_bytes(facts, entries) == expected


def test_a_manifest_survives_being_stored(tmp_path: Path) -> None:
    _, manifest = make_signed(tmp_path)

    assert open_manifest(encode_manifest(manifest), Ed25519Verifier()) == manifest


def test_every_byte_of_every_file_counts(tmp_path: Path) -> None:
    skill, manifest = make_signed(tmp_path)
    flipped = 0
    for entry in manifest.entries:
        if entry.kind == "folder":
            continue
        path = skill / entry.path
        content = path.read_bytes()
        for place in range(len(content)):
            path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
            changes = differences(manifest.entries, read_entries(skill))

            assert [(each.path, each.what) for each in changes] == [(entry.path, "changed")]
            flipped += 1
        path.write_bytes(content)

    assert flipped > 50
    assert differences(manifest.entries, read_entries(skill)) == ()


def test_every_permission_bit_of_every_file_and_folder_counts(tmp_path: Path) -> None:
    skill, manifest = make_signed(tmp_path)
    if os.geteuid() != 0:
        pytest.skip("without root a file without permissions can't be read")
    for entry in manifest.entries:
        for bit in range(12):
            path = skill / entry.path
            path.chmod(entry.mode ^ (1 << bit))
            now = read_entries(skill)

            assert [(each.path, each.what) for each in differences(manifest.entries, now)] == [
                (entry.path, "mode")
            ]
            assert modes_of_entries(now) != manifest.modes
            assert modes_of_stamp(stamp_of(skill), str(skill)) == modes_of_entries(now)
            path.chmod(entry.mode)


def test_added_removed_and_renamed_paths_are_told_apart(tmp_path: Path) -> None:
    skill, manifest = make_signed(tmp_path)
    (skill / "data/ä.txt").rename(skill / "data/b.txt")
    (skill / "empty").rmdir()
    (skill / ".git").mkdir()
    (skill / ".hidden").unlink()
    (skill / ".hidden").mkdir()

    changes = {
        (each.path, each.what) for each in differences(manifest.entries, read_entries(skill))
    }

    assert changes == {
        ("data/b.txt", "added"),
        ("data/ä.txt", "removed"),
        ("empty", "removed"),
        (".git", "added"),
        (".hidden", "changed"),
        (".hidden", "mode"),
    }


@pytest.mark.parametrize("kind", ["symbolic", "fifo"])
def test_links_and_special_files_have_no_entry(tmp_path: Path, kind: str) -> None:
    skill, _ = make_signed(tmp_path)
    if kind == "symbolic":
        (skill / "link").symlink_to("SKILL.md")
    else:
        os.mkfifo(skill / "pipe")

    with pytest.raises(InvalidSkill):
        read_entries(skill)


def test_no_byte_of_a_stored_manifest_can_be_changed_unseen(tmp_path: Path) -> None:
    _, manifest = make_signed(tmp_path)
    stored = encode_manifest(manifest)
    unseen: list[int] = []
    for place in range(len(stored)):
        other = stored[:place] + bytes([stored[place] ^ 1]) + stored[place + 1 :]
        try:
            if open_manifest(other, Ed25519Verifier()) != manifest:
                unseen.append(place)
        except InvalidManifest:
            continue

    assert unseen == []


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"more": 1},
        {"signature": "00"},
        {"public_key": "zz"},
        {"entries": []},
        {"facts": {}},
        {"entries": [{"path": ""}]},
    ],
)
def test_another_shape_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    _, manifest = make_signed(tmp_path)
    record = json.loads(encode_manifest(manifest)) | change

    with pytest.raises(InvalidManifest):
        decode_manifest(json.dumps(record).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"\xff", b"{}", b"[" * 100_000])
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidManifest):
        decode_manifest(data)


def test_a_signature_is_good_for_its_facts_alone(tmp_path: Path) -> None:
    _, manifest = make_signed(tmp_path)
    for change in ({"version": 2}, {"place": "home/other"}, {"tier": "team"}, {"verdict": "PASS"}):
        facts = replace(manifest.facts, **change)
        forged = replace(manifest, facts=facts)

        with pytest.raises(InvalidManifest, match="signature"):
            open_manifest(encode_manifest(forged), Ed25519Verifier())
