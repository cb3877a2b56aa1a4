"""A member's word for a skill: a signature over its name and content, made where it was written.

Says who, not how far that one is trusted: whether the team certifies the key is asked anew at every
run (guard.py), so that a key that was revoked vouches for nothing from then on.
"""

from __future__ import annotations

import json
import struct

from skilllite_sandbox.digest import is_digest
from skilllite_sandbox.errors import PolicyDenied
from skilllite_sandbox.values import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.signing import Signer, Verifier

AUTHOR_BYTES_MAX = 4096  # of a stored signature; it has 300
SCHEMA = 1
_HEADER = b"skilllite skill author 1\n"


@dataclass(frozen=True, slots=True)
class AuthorSignature:
    """Who signed which skill. Whether the signature is right, `checked_author` says."""

    name: str
    digest: str
    public_key: bytes
    signature: bytes


def sign_as_author(name: str, digest: str, signer: Signer) -> AuthorSignature:
    """Return the signature of one skill."""
    assert is_digest(digest)
    return AuthorSignature(name, digest, signer.public_key, signer.sign(_signed(name, digest)))


def checked_author(
    given: AuthorSignature,
    *,
    name: str,
    digest: str,
    team_keys: frozenset[str],
    verifier: Verifier,
) -> str:
    """Return the key, in hex, of the member who signed exactly this skill.

    Raises:
        PolicyDenied: it is another skill, a wrong signature, or nobody of the team.
    """
    if (given.name, given.digest) != (name, digest):
        raise PolicyDenied(f"the signature is for another skill than {name}")
    if not verifier.verify(given.public_key, _signed(name, digest), given.signature):
        raise PolicyDenied(f"the signature of {name} is wrong")
    key = given.public_key.hex()
    if key not in team_keys:
        raise PolicyDenied(
            f"{name} was signed by nobody of the team",
            cause=f"the key is {key}",
            hint="add it without the signature: then it is of the tier community",
        )
    return key


def encode_author(given: AuthorSignature) -> bytes:
    """Return the signature as it is sent along with a skill."""
    record = {
        "schema": SCHEMA,
        "name": given.name,
        "digest": given.digest,
        "public_key": given.public_key.hex(),
        "signature": given.signature.hex(),
    }
    return json.dumps(record, ensure_ascii=False).encode("utf-8") + b"\n"


def decode_author(data: bytes) -> AuthorSignature:
    """Return a signature that came with a skill.

    Raises:
        ValueError: it is none.
    """
    if len(data) > AUTHOR_BYTES_MAX:
        raise ValueError(f"a signature has at most {AUTHOR_BYTES_MAX} bytes")
    record = json.loads(data)
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        raise ValueError(f"it has another schema than {SCHEMA}")
    fields = ("name", "digest", "public_key", "signature")
    if not all(isinstance(record.get(field), str) for field in fields):
        raise ValueError("it lacks a field, or holds something else than texts")
    if not is_digest(record["digest"]):
        raise ValueError("its digest is malformed")
    key, signature = bytes.fromhex(record["public_key"]), bytes.fromhex(record["signature"])
    return AuthorSignature(record["name"], record["digest"], key, signature)


def _signed(name: str, digest: str) -> bytes:
    text = name.encode("utf-8")
    return _HEADER + struct.pack(">I", len(text)) + text + digest.encode("ascii")
