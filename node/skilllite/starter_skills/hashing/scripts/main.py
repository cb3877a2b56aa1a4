"""Digest data, sign it with a key (HMAC), or check it against an expected value."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import sys
import zlib

import contract

DATA_CHARACTERS_MAX = 2_000_000
KEY_CHARACTERS_MAX = 10_000
EXPECTED_CHARACTERS_MAX = 200  # a 512-bit digest is 128 hexadecimal digits
ALGORITHMS = (
    *("sha256", "sha224", "sha384", "sha512"),
    *("sha3_256", "sha3_224", "sha3_384", "sha3_512"),
    *("blake2b", "blake2s", "md5", "sha1", "crc32"),
)
NOTES = {
    "md5": "md5 is broken: fine against accidents, useless against a person",
    "sha1": "sha1 is broken: fine against accidents, useless against a person",
    "crc32": "crc32 finds accidental damage only: anyone can make data that fits a value",
}
ENCODINGS = ("text", "hex", "base64")
OUTPUTS = ("hex", "base64")


def answer(request: contract.Request) -> object:
    operation = contract.choice(request, "operation", ("digest", "hmac", "verify"))
    extra = {"digest": (), "hmac": ("key", "key_encoding"), "verify": ("key", "key_encoding")}
    allowed = ("operation", "algorithm", "data", "encoding", "output", *extra[operation])
    if operation == "verify":
        allowed = (*allowed, "expected")
    contract.only_fields(request, allowed)
    algorithm = contract.choice(request, "algorithm", ALGORITHMS, default="sha256")
    data = octets(request, "data", "encoding", characters_max=DATA_CHARACTERS_MAX)
    output = contract.choice(request, "output", OUTPUTS, default="hex")

    keyed = operation == "hmac" or "key" in request
    computed = signature(request, algorithm, data) if keyed else digest(algorithm, data)
    result: dict[str, object] = {"operation": operation, "algorithm": algorithm}
    if operation == "verify":
        expected = contract.text(request, "expected", characters_max=EXPECTED_CHARACTERS_MAX)
        wanted = decode(expected.strip(), output, "expected")
        if len(wanted) != len(computed):
            raise contract.Refusal(
                f"expected must hold {len(computed)} bytes for {algorithm}, not {len(wanted)}"
            )
        result["matches"] = hmac.compare_digest(wanted, computed)
    else:
        result["digest"] = (
            computed.hex() if output == "hex" else base64.b64encode(computed).decode()
        )
        result["bits"] = len(computed) * 8
    result["input_bytes"] = len(data)
    if algorithm in NOTES and not keyed:
        result["note"] = NOTES[algorithm]
    return result


def digest(algorithm: str, data: bytes) -> bytes:
    if algorithm == "crc32":
        return zlib.crc32(data).to_bytes(4, "big")
    # usedforsecurity=False: hosts in FIPS mode refuse md5 otherwise, even for a file's checksum.
    return hashlib.new(algorithm, data, usedforsecurity=False).digest()


def signature(request: contract.Request, algorithm: str, data: bytes) -> bytes:
    if algorithm == "crc32":
        raise contract.Refusal("algorithm must be a hash function for an HMAC; crc32 is none")
    key = octets(request, "key", "key_encoding", characters_max=KEY_CHARACTERS_MAX)
    if not key:
        raise contract.Refusal("key must not be empty")
    return hmac.digest(key, data, algorithm)


def octets(request: contract.Request, name: str, form: str, *, characters_max: int) -> bytes:
    value = contract.text(request, name, characters_max=characters_max)
    encoding = contract.choice(request, form, ENCODINGS, default="text")
    return value.encode("utf-8") if encoding == "text" else decode(value, encoding, name)


def decode(value: str, encoding: str, name: str) -> bytes:
    """Return the bytes that a hexadecimal or base64 text stands for; white space is skipped."""
    compact = "".join(value.split())
    try:
        if encoding == "hex":
            return binascii.unhexlify(compact)
        # Both alphabets: web tokens write - and _ for + and /, and drop the padding.
        padded = compact.rstrip("=").replace("-", "+").replace("_", "/")
        return base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True)
    except ValueError:  # binascii.Error, and characters outside ASCII
        raise contract.Refusal(f"{name} is not valid {encoding}") from None


if __name__ == "__main__":
    sys.exit(contract.serve(answer))
