"""A member's word for a skill: for that skill, by that key, while the team certifies it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from skilllite_sandbox.errors import PolicyDenied
from skilllite_sandbox.integrity.author import (
    AuthorSignature,
    checked_author,
    decode_author,
    encode_author,
    sign_as_author,
)
from skilllite_sandbox.signing import Ed25519Verifier, FileSigner, load_or_create_signer

DIGEST, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64


@pytest.fixture
def signer(tmp_path: Path) -> FileSigner:
    return load_or_create_signer(tmp_path / "keys/sign.pem")


def check(given: AuthorSignature, *team: bytes, name: str = "demo", digest: str = DIGEST) -> str:
    keys = frozenset(key.hex() for key in team)
    return checked_author(
        given, name=name, digest=digest, team_keys=keys, verifier=Ed25519Verifier()
    )


def test_a_member_vouches_for_a_skill(signer: FileSigner) -> None:
    sent = encode_author(sign_as_author("demo", DIGEST, signer))

    assert check(decode_author(sent), signer.public_key) == signer.public_key.hex()


def test_for_no_other_skill_and_nobody_else(signer: FileSigner) -> None:
    given = sign_as_author("demo", DIGEST, signer)
    key = signer.public_key
    with pytest.raises(PolicyDenied, match="another skill"):
        check(given, key, name="other")
    with pytest.raises(PolicyDenied, match="another skill"):
        check(given, key, digest=OTHER)
    with pytest.raises(PolicyDenied, match="wrong"):
        check(replace(given, digest=OTHER), key, digest=OTHER)
    with pytest.raises(PolicyDenied, match="wrong"):
        check(replace(given, public_key=bytes(32)), bytes(32))
    with pytest.raises(PolicyDenied, match="nobody of the team"):
        check(given, bytes(32))


def test_a_manifest_is_no_authors_signature(signer: FileSigner) -> None:
    signature = signer.sign(b"skilllite skill manifest 1\n")
    with pytest.raises(PolicyDenied, match="wrong"):
        check(AuthorSignature("demo", DIGEST, signer.public_key, signature), signer.public_key)


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b'{"schema": 1, "name": 1}', b"x" * 5000, b'{"schema": 2}', b"\xff"],
)
def test_what_is_no_signature_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        decode_author(data)
