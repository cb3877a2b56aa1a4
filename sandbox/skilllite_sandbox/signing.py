"""Signatures that outlive a process: who may sign, who can check, and the key that lives in a file.

Everything that is signed (catalogues, audit heads, skill packages) goes through these two
protocols, so that the key can move into hardware without touching a caller. Only this module of the
sandbox imports `cryptography`, and no run imports this module.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from skilllite_sandbox.errors import KeyUnusable
from skilllite_sandbox.private_file import (
    create_private_file,
    ensure_private_directory,
    read_private_file,
)

PUBLIC_KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
_CURVE_HASHES: Final = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}


class Signer(Protocol):
    """Holds a private key and signs with it. Safe to call from any thread."""

    @property
    def public_key(self) -> bytes:
        """Raw Ed25519 public key, 32 bytes."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Return the 64-byte signature.

        The caller puts a label of its own in front of `data`: a signature made for one purpose must
        not be valid for another.
        """
        ...


class Verifier(Protocol):
    """Checks signatures; needs no secret."""

    def verify(self, public_key: bytes, data: bytes, signature: bytes) -> bool:
        """Return False for anything but a right signature, malformed arguments included."""
        ...


class Ed25519Verifier:
    """The verifier that goes with `FileSigner`."""

    __slots__ = ()

    def verify(self, public_key: bytes, data: bytes, signature: bytes) -> bool:
        """Return whether `signature` is that key's over `data`."""
        if len(public_key) != PUBLIC_KEY_BYTES or len(signature) != SIGNATURE_BYTES:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
        except (InvalidSignature, ValueError):
            return False
        return True


class FileSigner:
    """An Ed25519 key kept as PKCS#8 PEM in a private file."""

    __slots__ = ("_key", "_public_key")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._public_key = key.public_key().public_bytes_raw()

    @property
    def public_key(self) -> bytes:
        """Raw Ed25519 public key, 32 bytes."""
        return self._public_key

    def sign(self, data: bytes) -> bytes:
        """Return the 64-byte signature over `data`."""
        return self._key.sign(data)


def load_or_create_signer(path: Path) -> FileSigner:
    """Return the signer whose key is in `path`, making one when there is no such file.

    Raises:
        KeyUnusable: The file is damaged, unreadable or open to others. It is left as it is: a new
            key in its place would silently be a new identity.
    """
    ensure_private_directory(path.parent)
    pem = read_private_file(path)
    if pem is None:
        fresh = Ed25519PrivateKey.generate()
        if create_private_file(path, _to_pem(fresh)):
            return FileSigner(fresh)
        pem = read_private_file(path)  # another process was first: its key is the key
    if pem is None:
        raise _damaged(path, "the file vanished while it was being read")
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _damaged(path, "not a private key in PEM") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _damaged(path, "a private key of another kind")
    return FileSigner(key)


def _to_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _damaged(path: Path, cause: str) -> KeyUnusable:
    return KeyUnusable(
        f"{path} does not hold an Ed25519 key",
        cause=cause,
        hint=f"restore {path} from a backup; to give up this identity, move the file away",
    )


class EcPublicKey:
    """A key on P-256, P-384 or P-521 that others sign with; never one of ours."""

    __slots__ = ("_key", "fingerprint")

    def __init__(self, key: EllipticCurvePublicKey) -> None:
        """Take a key on one of these curves."""
        self._key = key
        self.fingerprint = hashlib.sha256(
            key.public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        ).hexdigest()
        """SHA-256 of the key in PEM, in hex."""

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Return whether `signature` is this key's over `data`."""
        try:
            self._key.verify(signature, data, ECDSA(_CURVE_HASHES[self._key.curve.name]))
        except (InvalidSignature, ValueError):
            return False
        return True


class EcPrivateKey:
    """The private part of such a key, as its owner gave it."""

    __slots__ = ("_key", "public_key")

    def __init__(self, key: EllipticCurvePrivateKey) -> None:
        """Take a key on one of these curves."""
        self._key = key
        self.public_key = EcPublicKey(key.public_key())

    def sign(self, data: bytes) -> bytes:
        """Return the signature over `data`, in DER."""
        return self._key.sign(data, ECDSA(_CURVE_HASHES[self._key.curve.name]))


def load_ec_public_key(pem: bytes) -> EcPublicKey:
    """Return the key in a PEM, be it a public key or a certificate; of that only the key counts.

    Raises:
        KeyUnusable: it is neither, or on another curve.
    """
    try:
        if b"-----BEGIN CERTIFICATE-----" in pem:
            key: object = x509.load_pem_x509_certificate(pem).public_key()
        else:
            key = serialization.load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyUnusable("it is not a public key or a certificate in PEM") from None
    if not isinstance(key, EllipticCurvePublicKey) or key.curve.name not in _CURVE_HASHES:
        raise KeyUnusable(f"it is not a key on {', '.join(_CURVE_HASHES)}")
    return EcPublicKey(key)


def load_ec_private_key(pem: bytes) -> EcPrivateKey:
    """Return the private key in a PEM.

    Raises:
        KeyUnusable: it is none, on another curve, or locked by a password.
    """
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyUnusable("it is not a private key in PEM without a password") from None
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name not in _CURVE_HASHES:
        raise KeyUnusable(f"it is not a key on {', '.join(_CURVE_HASHES)}")
    return EcPrivateKey(key)
