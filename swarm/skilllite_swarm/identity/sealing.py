"""Keys from an agreed secret, and messages that only the holder of such a key can read or write."""

from __future__ import annotations

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
SEALED_OVERHEAD_BYTES: Final = NONCE_BYTES + TAG_BYTES


def derive_key(secret: bytes, *, context: bytes, label: bytes) -> bytes:
    """Return 32 bytes (HKDF-SHA-256) that are unrelated for every other context or label."""
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=context, info=label).derive(secret)


def seal(key: bytes, plain: bytes, *, bound_to: bytes) -> bytes:
    """Encrypt and authenticate `plain` (ChaCha20-Poly1305); it opens only beside `bound_to`.

    The nonce is random, though each key of a join seals one message: a caller that seals a second
    one must not lose both.
    """
    nonce = os.urandom(NONCE_BYTES)
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, plain, bound_to)


def open_sealed(key: bytes, sealed: bytes, *, bound_to: bytes) -> bytes | None:
    """Return what was sealed, or None when it was not sealed with this key beside `bound_to`."""
    if len(sealed) < SEALED_OVERHEAD_BYTES:
        return None
    nonce, body = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, body, bound_to)
    except InvalidTag:
        return None
