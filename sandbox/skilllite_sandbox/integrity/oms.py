"""OpenSSF model signing: bundles that other tools write and check, for skills.

A bundle is a sigstore bundle with a DSSE envelope around an in-toto statement that lists the
SHA-256 of files. It says who signed these files, and no more: modes, empty folders and what it was
told to ignore are not in it. So it is evidence, kept with the facts of an installation, and never
stands in for our manifest. Supported is what works offline: an elliptic curve key, given by hand as
a public key or a certificate. Keyless bundles, which need sigstore's services, are refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json

from skilllite_sandbox.errors import InvalidSkill, PolicyDenied
from skilllite_sandbox.integrity.entries import FILE, Entry
from skilllite_sandbox.policy import MIB
from skilllite_sandbox.values import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from skilllite_sandbox.signing import EcPrivateKey, EcPublicKey

BUNDLE_NAME = "skill.oms.sig"
BUNDLE_BYTES_MAX = 16 * MIB  # 10,000 files with paths of 1 KiB
MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"
NEVER_COVERED = frozenset({".git", ".gitattributes", ".github", ".gitignore"})
"""At the top of a skill: tools that check bundles leave them out whatever was signed."""


class InvalidBundle(PolicyDenied):
    """It is no bundle of this kind, or signed by another key, or for other files."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What was signed."""

    name: str
    files: dict[str, str]
    """SHA-256 in hex by path."""


def open_bundle(data: bytes, key: EcPublicKey) -> Statement:
    """Return what a key signed in a bundle.

    Raises:
        InvalidBundle: it is malformed, or another key signed it.
    """
    if len(data) > BUNDLE_BYTES_MAX:
        raise InvalidBundle(f"the bundle is larger than {BUNDLE_BYTES_MAX // MIB} MiB")
    try:
        bundle = json.loads(data)
        if bundle["mediaType"] != MEDIA_TYPE:
            raise InvalidBundle(f"the bundle is of another kind: {bundle['mediaType']}")
        hint = bundle["verificationMaterial"].get("publicKey", {}).get("hint")
        envelope = bundle["dsseEnvelope"]
        payload = base64.b64decode(envelope["payload"], validate=True)
        signatures = envelope["signatures"]
        if len(signatures) != 1 or envelope["payloadType"] != PAYLOAD_TYPE:
            raise InvalidBundle("the bundle holds more than one signature, or something else")
        signature = base64.b64decode(signatures[0]["sig"], validate=True)
        if hint and hint != key.fingerprint:
            raise InvalidBundle("the bundle was signed by another key", cause=f"its hint is {hint}")
        if not key.verify(_encoded_for_signing(payload), signature):
            raise InvalidBundle("the bundle was signed by another key, or changed")
        return _read_statement(json.loads(payload))
    except InvalidBundle:
        raise
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        RecursionError,
        binascii.Error,
    ) as error:
        raise InvalidBundle("it is not a bundle of model signing", cause=str(error)) from None


def check_covered(statement: Statement, entries: tuple[Entry, ...]) -> None:
    """Refuse a skill that isn't what was signed, all of it but the bundle itself.

    Raises:
        InvalidBundle: a file differs, is missing, or was not signed.
    """
    files = {each.path: each.sha256 for each in entries if each.kind == FILE}
    files.pop(BUNDLE_NAME, None)
    wrong = [
        *(f"missing {path}" for path in statement.files if path not in files),
        *(f"not signed {path}" for path in files if path not in statement.files),
        *(
            f"changed {path}"
            for path, sha256 in files.items()
            if statement.files.get(path, sha256) != sha256
        ),
    ]
    if wrong:
        more = f" and {len(wrong) - 8} more" if len(wrong) > 8 else ""
        raise InvalidBundle(
            "the skill is not what was signed", cause=", ".join(sorted(wrong)[:8]) + more
        )


def make_bundle(name: str, entries: tuple[Entry, ...], key: EcPrivateKey) -> bytes:
    """Return a bundle over all files of a skill.

    Raises:
        InvalidSkill: it holds what no such bundle can cover.
    """
    files = [each for each in entries if each.kind == FILE and each.path != BUNDLE_NAME]
    uncovered = [each.path for each in files if each.path.partition("/")[0] in NEVER_COVERED]
    if uncovered:
        raise InvalidSkill(
            f"{uncovered[0]} can't be signed: tools for such bundles leave it out",
            hint=f"a skill to be signed has none of {', '.join(sorted(NEVER_COVERED))}",
        )
    root = hashlib.sha256(b"".join(bytes.fromhex(each.sha256) for each in files))
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": root.hexdigest()}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": [BUNDLE_NAME],
            },
            "resources": [
                {"name": each.path, "algorithm": "sha256", "digest": each.sha256} for each in files
            ],
        },
    }
    payload = json.dumps(statement, ensure_ascii=False).encode("utf-8")
    signature = key.sign(_encoded_for_signing(payload))
    bundle = {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {
            "publicKey": {"hint": key.public_key.fingerprint},
            "tlogEntries": [],
        },
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode("ascii"),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": base64.b64encode(signature).decode("ascii"), "keyid": ""}],
        },
    }
    return json.dumps(bundle).encode("utf-8") + b"\n"


def _read_statement(statement: dict[str, Any]) -> Statement:
    if statement["_type"] != STATEMENT_TYPE or statement["predicateType"] != PREDICATE_TYPE:
        raise InvalidBundle("the bundle holds another kind of statement")
    (subject,) = statement["subject"]
    predicate = statement["predicate"]
    serialization = predicate["serialization"]
    if (serialization["method"], serialization["hash_type"]) != ("files", "sha256"):
        raise InvalidBundle("the bundle lists something else than the SHA-256 of files")
    root = hashlib.sha256()
    files: dict[str, str] = {}
    for resource in predicate["resources"]:
        path, digest = resource["name"], bytes.fromhex(resource["digest"])
        if resource["algorithm"] != "sha256" or len(digest) != 32 or not isinstance(path, str):
            raise InvalidBundle("the bundle lists something else than the SHA-256 of files")
        if path in files:
            raise InvalidBundle(f"the bundle names {path[:80]!r} twice")
        files[path] = digest.hex()
        root.update(digest)
    if subject["digest"]["sha256"] != root.hexdigest():
        raise InvalidBundle("the bundle contradicts itself")
    return Statement(str(subject["name"]), files)


def _encoded_for_signing(payload: bytes) -> bytes:
    """Return the form that DSSE signs, which binds the kind of the payload."""
    kind = PAYLOAD_TYPE.encode("ascii")
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
