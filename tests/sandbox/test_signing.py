"""A signer's key outlives the process, is never replaced, and signs what the verifier accepts."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skilllite_sandbox.errors import KeyUnusable
from skilllite_sandbox.signing import (
    Ed25519Verifier,
    FileSigner,
    Signer,
    Verifier,
    load_or_create_signer,
)


@pytest.fixture
def signer(tmp_path: Path) -> FileSigner:
    return load_or_create_signer(tmp_path / "keys" / "sign.pem")


def test_a_signature_is_valid_for_its_data_and_key_only(signer: Signer, tmp_path: Path) -> None:
    verifier: Verifier = Ed25519Verifier()
    other = load_or_create_signer(tmp_path / "other" / "sign.pem")

    signature = signer.sign(b"data")

    assert verifier.verify(signer.public_key, b"data", signature)
    assert not verifier.verify(signer.public_key, b"date", signature)
    assert not verifier.verify(other.public_key, b"data", signature)


@given(st.binary(max_size=70), st.binary(max_size=70))
def test_malformed_keys_and_signatures_are_only_wrong(key: bytes, signature: bytes) -> None:
    assert not Ed25519Verifier().verify(key, b"data", signature)


def test_the_key_survives_a_restart_and_is_private(signer: Signer, tmp_path: Path) -> None:
    path = tmp_path / "keys" / "sign.pem"

    again = load_or_create_signer(path)

    assert again.public_key == signer.public_key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("content", [b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_a_damaged_key_is_reported_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "keys" / "sign.pem"
    load_or_create_signer(path)
    path.write_bytes(content)

    with pytest.raises(KeyUnusable, match=r"sign\.pem does not hold an Ed25519 key") as caught:
        load_or_create_signer(path)
    assert "restore" in str(caught.value.hint)
    assert path.read_bytes() == content


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    path = tmp_path / "keys" / "sign.pem"
    load_or_create_signer(path)
    path.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )

    with pytest.raises(KeyUnusable) as caught:
        load_or_create_signer(path)
    assert caught.value.cause == "a private key of another kind"


def test_two_that_start_together_end_up_with_one_key(tmp_path: Path) -> None:
    found: list[bytes] = []
    together = threading.Barrier(8)

    def start() -> None:
        together.wait(timeout=10)
        found.append(load_or_create_signer(tmp_path / "keys" / "sign.pem").public_key)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)

    assert len(found) == 8
    assert len(set(found)) == 1
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["sign.pem"]
