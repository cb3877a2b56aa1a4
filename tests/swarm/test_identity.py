"""A device has two keys that last, and one vouches for the other."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skilllite_swarm.errors import IdentityCorrupt
from skilllite_swarm.identity import (
    DeviceIdentity,
    derive_key,
    load_or_create_identity,
    node_id_of_public_key,
    open_sealed,
    seal,
    verify_signature,
    verify_signing_key,
)
from skilllite_swarm.identity.keys import NODE_ID_PATTERN


@pytest.fixture
def identity(tmp_path: Path) -> DeviceIdentity:
    return load_or_create_identity(tmp_path / "keys")


def test_the_identity_survives_a_restart(identity: DeviceIdentity, tmp_path: Path) -> None:
    again = load_or_create_identity(tmp_path / "keys")

    assert again.node_id == identity.node_id
    assert again.signing_key == identity.signing_key
    assert again.private_key_pem == identity.private_key_pem


def test_the_keys_are_for_their_owner_alone(identity: DeviceIdentity, tmp_path: Path) -> None:
    keys = tmp_path / "keys"

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in keys.iterdir()}

    assert modes == {"device.pem": 0o600, "sign.pem": 0o600}
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert identity.node_id not in repr(identity)


def test_the_node_id_is_the_hash_of_the_device_key(identity: DeviceIdentity) -> None:
    assert NODE_ID_PATTERN.match(identity.node_id)
    assert node_id_of_public_key(identity.device_key) == identity.node_id
    assert identity.device_key not in identity.private_key_pem


def test_a_signature_is_checked_by_the_signing_key(identity: DeviceIdentity) -> None:
    signature = identity.sign(b"label: data")

    assert verify_signature(identity.signing_key, b"label: data", signature)
    assert not verify_signature(identity.signing_key, b"label: other", signature)


def test_the_device_vouches_for_its_own_signing_key_only(
    identity: DeviceIdentity, tmp_path: Path
) -> None:
    other = load_or_create_identity(tmp_path / "other")
    proof = identity.signing_key_proof

    assert verify_signing_key(identity.device_key, identity.signing_key, proof)
    assert not verify_signing_key(identity.device_key, other.signing_key, proof)
    assert not verify_signing_key(other.device_key, identity.signing_key, proof)
    assert not verify_signing_key(identity.device_key, other.signing_key, other.signing_key_proof)


@given(st.binary(max_size=600), st.binary(max_size=80))
def test_malformed_keys_and_proofs_are_only_wrong(key: bytes, proof: bytes) -> None:
    assert not verify_signing_key(key, b"k" * 32, proof)


@pytest.mark.parametrize("name", ["device.pem", "sign.pem"])
@pytest.mark.parametrize("content", [b"", b"garbage", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_a_damaged_key_refuses_to_start_and_is_not_replaced(
    identity: DeviceIdentity, tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / "keys" / name
    path.write_bytes(content)

    with pytest.raises(IdentityCorrupt) as caught:
        load_or_create_identity(tmp_path / "keys")

    assert str(path) in caught.value.message
    assert "restore" in str(caught.value.hint)
    assert path.read_bytes() == content


def test_keys_in_each_others_place_refuse_to_start(
    identity: DeviceIdentity, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    (keys / "device.pem").rename(keys / "aside")
    (keys / "sign.pem").rename(keys / "device.pem")

    with pytest.raises(IdentityCorrupt, match="P-256"):
        load_or_create_identity(keys)


def test_a_key_open_to_others_refuses_to_start(identity: DeviceIdentity, tmp_path: Path) -> None:
    path = tmp_path / "keys" / "device.pem"
    path.chmod(0o644)

    with pytest.raises(IdentityCorrupt, match="open to other users") as caught:
        load_or_create_identity(tmp_path / "keys")
    assert f"chmod 600 {path}" in str(caught.value.hint)


def test_a_sealed_message_opens_with_its_key_and_its_context_only() -> None:
    key = derive_key(b"secret", context=b"context", label=b"one")
    sealed = seal(key, b"plain", bound_to=b"transcript")

    assert open_sealed(key, sealed, bound_to=b"transcript") == b"plain"
    assert open_sealed(key, sealed, bound_to=b"other") is None
    for context, label in ((b"context", b"two"), (b"other", b"one")):
        other = derive_key(b"secret", context=context, label=label)
        assert open_sealed(other, sealed, bound_to=b"transcript") is None


@given(st.binary(max_size=64))
def test_garbage_is_not_a_sealed_message(sealed: bytes) -> None:
    assert open_sealed(b"k" * 32, sealed, bound_to=b"") is None


def test_one_flipped_bit_anywhere_is_noticed() -> None:
    key = b"k" * 32
    sealed = seal(key, b"plain", bound_to=b"")

    for index in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[index] ^= 1
        assert open_sealed(key, bytes(damaged), bound_to=b"") is None
