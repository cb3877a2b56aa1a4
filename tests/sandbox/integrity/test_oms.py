"""OpenSSF bundles: the reference checks ours, we check the reference's, and neither is fooled."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from skill_files import make_skill
from skilllite_sandbox.errors import InvalidSkill, KeyUnusable
from skilllite_sandbox.integrity.entries import read_entries
from skilllite_sandbox.integrity.oms import (
    BUNDLE_NAME,
    InvalidBundle,
    check_covered,
    make_bundle,
    open_bundle,
)
from skilllite_sandbox.signing import load_ec_private_key, load_ec_public_key

FILES: dict[str, str | bytes] = {"scripts/main.py": "print(1)\n", "data/ä.bin": b"\x00", "z": ""}
CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}


class Keys:
    def __init__(self, folder: Path, curve: ec.EllipticCurve) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(curve)
        self.private_file, self.public_file = folder / "private.pem", folder / "public.pem"
        self.private_file.write_bytes(
            self._key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        self.public_file.write_bytes(
            self._key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
        self.private = load_ec_private_key(self.private_file.read_bytes())
        self.public = load_ec_public_key(self.public_file.read_bytes())

    def certificate(self) -> bytes:
        from datetime import UTC, datetime, timedelta

        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "author")])
        start = datetime(2020, 1, 1, tzinfo=UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(1)
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=1))
            .sign(self._key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "keys", ec.SECP256R1())


@pytest.fixture
def skill(tmp_path: Path) -> Path:
    return make_skill(tmp_path, "demo", files=FILES)


def reference(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the reference implementation, in a process of its own: it imports half of PyPI."""
    pytest.importorskip("model_signing", reason="the group `interop` is not installed")
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "model_signing", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("curve", CURVES)
def test_the_reference_accepts_our_bundle(tmp_path: Path, skill: Path, curve: str) -> None:
    keys = Keys(tmp_path / "keys", CURVES[curve])
    (skill / BUNDLE_NAME).write_bytes(make_bundle("demo", read_entries(skill), keys.private))
    words = ("verify", "key", str(skill), "--signature", str(skill / BUNDLE_NAME))
    good = reference(*words, "--public_key", str(keys.public_file))
    (skill / "z").write_text("z")
    bad = reference(*words, "--public_key", str(keys.public_file))

    assert good.returncode == 0, good.stdout + good.stderr
    assert bad.returncode != 0


@pytest.mark.parametrize("curve", CURVES)
def test_we_accept_a_bundle_of_the_reference(tmp_path: Path, skill: Path, curve: str) -> None:
    keys = Keys(tmp_path / "keys", CURVES[curve])
    signed = reference(
        *("sign", "key", str(skill), "--signature", str(skill / BUNDLE_NAME)),
        *("--private_key", str(keys.private_file)),
    )
    assert signed.returncode == 0, signed.stdout + signed.stderr

    statement = open_bundle((skill / BUNDLE_NAME).read_bytes(), keys.public)
    check_covered(statement, read_entries(skill))

    assert statement.name == "demo"
    assert set(statement.files) == {"SKILL.md", *FILES}


def test_a_certificate_stands_for_its_key(skill: Path, keys: Keys) -> None:
    data = make_bundle("demo", read_entries(skill), keys.private)

    assert open_bundle(data, load_ec_public_key(keys.certificate())).name == "demo"


def test_another_key_signed_nothing(tmp_path: Path, skill: Path, keys: Keys) -> None:
    data = make_bundle("demo", read_entries(skill), keys.private)
    other = Keys(tmp_path / "other", ec.SECP256R1())
    with pytest.raises(InvalidBundle, match="another key"):
        open_bundle(data, other.public)
    record = json.loads(data)
    record["verificationMaterial"] = {"certificate": {"rawBytes": "AAAA"}}  # nothing to go by
    with pytest.raises(InvalidBundle, match="another key"):
        open_bundle(json.dumps(record).encode(), other.public)


@pytest.mark.parametrize("change", ["byte", "added", "removed", "hidden", ".git", ".gitignore"])
def test_what_was_not_signed_is_named(skill: Path, keys: Keys, change: str) -> None:
    statement = open_bundle(make_bundle("demo", read_entries(skill), keys.private), keys.public)
    if change == "byte":
        (skill / "z").write_bytes(b"\x01")
    elif change == "removed":
        (skill / "z").unlink()
    elif change == ".git":
        (skill / ".git").mkdir()
        (skill / ".git/config").touch()
    else:
        (skill / {"added": "y", "hidden": ".y"}.get(change, change)).touch()

    with pytest.raises(InvalidBundle, match="not what was signed") as caught:
        check_covered(statement, read_entries(skill))

    assert caught.value.cause


def test_a_bundle_does_not_see_modes_and_empty_folders(skill: Path, keys: Keys) -> None:
    statement = open_bundle(make_bundle("demo", read_entries(skill), keys.private), keys.public)
    (skill / "z").chmod(0o777)
    (skill / "empty").mkdir()

    check_covered(statement, read_entries(skill))  # which is why our manifest stays


def test_what_no_bundle_covers_is_not_signed(skill: Path, keys: Keys) -> None:
    (skill / ".gitignore").touch()
    with pytest.raises(InvalidSkill, match="can't be signed"):
        make_bundle("demo", read_entries(skill), keys.private)


def test_no_byte_of_the_signed_part_can_be_changed(skill: Path, keys: Keys) -> None:
    data = make_bundle("demo", read_entries(skill), keys.private)
    record = json.loads(data)
    payload = base64.b64decode(record["dsseEnvelope"]["payload"])
    for place in range(0, len(payload), 7):
        other = payload[:place] + bytes([payload[place] ^ 1]) + payload[place + 1 :]
        record["dsseEnvelope"]["payload"] = base64.b64encode(other).decode()
        with pytest.raises(InvalidBundle):
            open_bundle(json.dumps(record).encode(), keys.public)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"null", b"\xff", b'{"mediaType": "x"}', b"[" * 100_000]
)
def test_what_is_no_bundle_is_refused(keys: Keys, data: bytes) -> None:
    with pytest.raises(InvalidBundle):
        open_bundle(data, keys.public)


def test_keys_of_another_kind_are_refused() -> None:
    edwards = ed25519.Ed25519PrivateKey.generate()
    public = edwards.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    koblitz = ec.generate_private_key(ec.SECP256K1())
    private = koblitz.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    for pem in (public, b"", b"-----BEGIN CERTIFICATE-----\n"):
        with pytest.raises(KeyUnusable):
            load_ec_public_key(pem)
    for pem in (private, b"nothing"):
        with pytest.raises(KeyUnusable):
            load_ec_private_key(pem)


def test_a_folder_of_the_skill_can_be_moved(tmp_path: Path, skill: Path, keys: Keys) -> None:
    statement = open_bundle(make_bundle("demo", read_entries(skill), keys.private), keys.public)
    shutil.move(skill, tmp_path / "elsewhere")

    check_covered(statement, read_entries(tmp_path / "elsewhere"))
