"""The two keys of a device: P-256 for TLS and for its name, Ed25519 for what it signs.

The node id is a hash of the TLS key, so that a connection proves it. gRPC's TLS does not accept
Ed25519 certificates, and ECDSA is a poor choice for signatures that live long: hence two keys, the
second one vouched for by the first. Neither is ever replaced: a new key is a new device.
"""

from __future__ import annotations

import base64
import re
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from skilllite_sandbox.errors import KeyUnusable
from skilllite_sandbox.private_file import (
    create_private_file,
    ensure_private_directory,
    read_private_file,
)
from skilllite_sandbox.signing import Ed25519Verifier, Signer, load_or_create_signer
from skilllite_swarm.errors import IdentityCorrupt

NODE_ID_PATTERN: Final = re.compile(r"[a-z2-7]{52}\Z")
"""SHA-256 in lower-case base32 without padding: 52 characters, a valid DNS label."""

SIGNING_KEY_LABEL: Final = b"skilllite signing key 1\0"
"""Keeps this signature of the TLS key from meaning anything elsewhere."""


class DeviceIdentity:
    """Both private keys of this device. Safe to use from any thread."""

    __slots__ = ("_device", "_proof", "_signer", "device_key", "node_id", "private_key_pem")

    def __init__(self, device: ec.EllipticCurvePrivateKey, signer: Signer) -> None:
        self._device = device
        self._signer = signer
        self.device_key: Final = encode_public_key(device.public_key())
        """SubjectPublicKeyInfo, DER: what `node_id` is the hash of."""
        self.node_id: Final = node_id_of_public_key(self.device_key)
        self.private_key_pem: Final = _private_pem(device)
        """The TLS key, PKCS#8: goes nowhere but into this process's own TLS."""
        self._proof = device.sign(SIGNING_KEY_LABEL + signer.public_key, ec.ECDSA(hashes.SHA256()))

    @property
    def signing_key(self) -> bytes:
        """Ed25519 public key, 32 bytes."""
        return self._signer.public_key

    @property
    def signing_key_proof(self) -> bytes:
        """The device key's word that `signing_key` belongs to the same device."""
        return self._proof

    def sign(self, data: bytes) -> bytes:
        """Sign with the Ed25519 key; `data` starts with a label that names its purpose."""
        return self._signer.sign(data)

    def csr_der(self) -> bytes:
        """Return a certificate request, which proves possession of the device key."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.node_id)])
        request = x509.CertificateSigningRequestBuilder().subject_name(subject)
        signed = request.sign(self._device, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.DER)

    def __repr__(self) -> str:
        return f"DeviceIdentity({self.node_id[:8]})"


def load_or_create_identity(keys_dir: Path) -> DeviceIdentity:
    """Return the identity kept in `keys_dir`, making the keys that are not there yet.

    Raises:
        IdentityCorrupt: A key file is damaged, unreadable or open to others. Nothing was replaced.
    """
    try:
        ensure_private_directory(keys_dir)
        device = _load_or_create_device_key(keys_dir / "device.pem")
        signer = load_or_create_signer(keys_dir / "sign.pem")
    except KeyUnusable as error:
        raise IdentityCorrupt(error.message, hint=error.hint, cause=error.cause) from error
    return DeviceIdentity(device, signer)


def node_id_of_public_key(device_key: bytes) -> str:
    """Return the node id that belongs to a public key (SubjectPublicKeyInfo, DER)."""
    return base64.b32encode(sha256(device_key).digest()).decode("ascii").rstrip("=").lower()


def verify_signature(signing_key: bytes, data: bytes, signature: bytes) -> bool:
    """Return whether the Ed25519 signature over `data` is that key's."""
    return Ed25519Verifier().verify(signing_key, data, signature)


def load_private_p256(pem: bytes) -> ec.EllipticCurvePrivateKey:
    """Read a P-256 private key; raises ValueError for anything else."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError("not an unencrypted private key in PEM") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("a private key of another kind")
    return key


def _load_or_create_device_key(path: Path) -> ec.EllipticCurvePrivateKey:
    pem = read_private_file(path)
    if pem is None:
        fresh = ec.generate_private_key(ec.SECP256R1())
        if create_private_file(path, _private_pem(fresh)):
            return fresh
        pem = read_private_file(path) or b""  # another process was first: its key is the key
    try:
        return load_private_p256(pem)
    except ValueError as error:
        raise KeyUnusable(
            f"{path} does not hold a P-256 key",
            cause=str(error).splitlines()[0],
            hint=f"restore {path} from a backup; to give up this identity, move the file away",
        ) from error


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def encode_public_key(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the one encoding that node ids are made of (SubjectPublicKeyInfo, DER)."""
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
