"""The register: which manifest is the newest of each installed skill, and what a run compares with.

One small file, so that a run reads no manifest and checks no signature (`cryptography` alone takes
40 ms to import). It is sealed with a key that is derived from the node's signing key: who can't
read that one can't change a byte. It counts its versions, and the latest number is kept beside the
key, so that an older register, or none, in its place is noticed too. Somebody who can put back both
files, and the skill, has the rights of the user and is outside of what this can find.

Form: a line of JSON, and a line with the seal of the first one.
"""

# Strings, not pathlib: every run reads this.
# ruff: noqa: PTH116

from __future__ import annotations

import json
import os
import stat
import time

from skilllite_sandbox.digest import sha256
from skilllite_sandbox.errors import RegisterUntrusted
from skilllite_sandbox.integrity.places import MARK_NAME, REGISTER_NAME
from skilllite_sandbox.policy import MIB
from skilllite_sandbox.stamps import QUIET_NS
from skilllite_sandbox.values import asdict, dataclass

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from typing import TypeAlias

KEY_NAME = "sign.pem"
REGISTER_BYTES_MAX = 8 * MIB  # 10,000 skills
KEY_BYTES_MAX = 64 * 1024  # an Ed25519 key in PEM has 119
SCHEMA = 1
_SEAL_LABEL = b"skilllite register seal 1\n"
_MARK_LABEL = b"skilllite register mark 1\n"
_KEY_LABEL = b"skilllite register key 1\n"
_BLOCK_BYTES = 64  # of SHA-256, for HMAC

FileStamp: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Registered:
    """What a run needs to know of one installed skill; its manifest has the rest."""

    name: str
    digest: str
    modes: str
    version: int
    tier: str
    source: str
    author: str
    verdict: str
    scanner_version: int
    manifest_sha256: str


@dataclass(frozen=True, slots=True)
class Register:
    """All installed skills by their keys (places.py)."""

    counter: int
    public_key: str
    """Of the key that signed the manifests, in hex."""
    skills: dict[str, Registered]


EMPTY = Register(0, "", {})


def encode_register(register: Register, key: bytes) -> bytes:
    """Return the sealed register."""
    record = {
        "schema": SCHEMA,
        "counter": register.counter,
        "public_key": register.public_key,
        "skills": {place: asdict(each) for place, each in sorted(register.skills.items())},
    }
    body = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n"
    return body + _seal(key, _SEAL_LABEL, body) + b"\n"


def encode_mark(counter: int, key: bytes) -> bytes:
    """Return the sealed number of the latest register."""
    body = b"%d\n" % counter
    return body + _seal(key, _MARK_LABEL, body) + b"\n"


def decode_register(data: bytes, key: bytes) -> Register:
    """Return a register whose seal is right.

    Raises:
        ValueError: the seal doesn't fit, or it has another form.
    """
    record = json.loads(_unsealed(data, key, _SEAL_LABEL))
    if record["schema"] != SCHEMA:
        raise ValueError(f"it has schema {record['schema']!r}, known is {SCHEMA}")
    skills = {place: Registered(**each) for place, each in record["skills"].items()}
    return Register(record["counter"], record["public_key"], skills)


def decode_mark(data: bytes, key: bytes) -> int:
    """Return the number of the latest register; raises as `decode_register`."""
    return int(_unsealed(data, key, _MARK_LABEL))


class RegisterFile:
    """The register of one home, read anew only when it was written."""

    def __init__(self, place: str, keys: str) -> None:
        """Take the directory of the register and that of the keys."""
        self.name = f"{place}/{REGISTER_NAME}"
        self.mark_name = f"{keys}/{MARK_NAME}"
        self.key_name = f"{keys}/{KEY_NAME}"
        self._known: tuple[tuple[FileStamp | None, ...], Register] | None = None

    def current(self) -> Register:
        """Return the register; an empty one when nothing was ever installed.

        Raises:
            RegisterUntrusted: it was changed, put back or removed.
        """
        stamps = (_stamp(self.name), _stamp(self.mark_name))
        if stamps == (None, None):
            return EMPTY
        known = self._known
        if known is not None and known[0] == stamps:
            return known[1]
        now = time.time_ns()
        register = self.read()
        # One that was written a moment ago may be written again within the same tick.
        if all(each is None or each[-1] < now - QUIET_NS for each in stamps):
            self._known = (stamps, register)
        return register

    def read(self) -> Register:
        """Read it, whatever is known; raises as `current`."""
        body = self._bytes(self.name, REGISTER_BYTES_MAX)
        mark = self._bytes(self.mark_name, KEY_BYTES_MAX)
        if body is None and mark is None:
            return EMPTY
        key = self.seal_key()
        if body is None:
            if mark is not None and self._latest(mark, key) == 0:
                return EMPTY  # the first installation didn't come further
            raise self._untrusted("it is gone, though skills were installed")
        try:
            register = decode_register(body, key)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise self._untrusted(_why(error)) from None
        latest = self._latest(mark or b"", key)
        # The register is written first: after a crash in between it is one ahead.
        if register.counter < latest:
            raise self._untrusted(f"it is version {register.counter}, the latest is {latest}")
        return register

    def _latest(self, mark: bytes, key: bytes) -> int:
        try:
            return decode_mark(mark, key)
        except ValueError:
            raise self._untrusted(f"its number in {self.mark_name} is gone or damaged") from None

    def seal_key(self) -> bytes:
        """Return the key of the seals.

        Raises:
            RegisterUntrusted: the node's key can't be read.
        """
        pem = self._bytes(self.key_name, KEY_BYTES_MAX)
        if pem is None:
            raise self._untrusted(f"the key it is sealed with, {self.key_name}, is gone")
        return seal_key_of(pem)

    def _bytes(self, name: str, limit_bytes: int) -> bytes | None:
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(name, flags)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._untrusted(f"{name}: {error.strerror}") from None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise self._untrusted(f"{name} is not a regular file")
            with open(descriptor, "rb", closefd=False) as file:
                data = file.read(limit_bytes + 1)
        finally:
            os.close(descriptor)
        if len(data) > limit_bytes:
            raise self._untrusted(f"{name} is larger than {limit_bytes} bytes")
        return data

    def _untrusted(self, cause: str) -> RegisterUntrusted:
        return RegisterUntrusted(
            "the register of installed skills can't be trusted, so nothing can be compared with it",
            cause=f"{self.name}: {cause}",
            hint=f"restore it and {self.mark_name} from a backup; or move both away, look at the "
            "installed skills, and add them again",
        )


def seal_key_of(pem: bytes) -> bytes:
    """Return the key for seals that belongs to a signing key."""
    return bytes(sha256(_KEY_LABEL + pem).digest())


def _unsealed(data: bytes, key: bytes, label: bytes) -> bytes:
    body, newline, seal = data.removesuffix(b"\n").rpartition(b"\n")
    # Both are short-lived strings of this process: comparing them gives nobody a clock.
    if not newline or not data.endswith(b"\n") or _seal(key, label, body + newline) != seal:
        raise ValueError("its seal doesn't fit: it was changed, or sealed with another key")
    return body


def _seal(key: bytes, label: bytes, body: bytes) -> bytes:
    """Return HMAC-SHA-256 in hex, without the module, which loads OpenSSL."""
    padded = key.ljust(_BLOCK_BYTES, b"\0")
    inner = sha256(bytes(byte ^ 0x36 for byte in padded) + label + body).digest()
    outer = sha256(bytes(byte ^ 0x5C for byte in padded) + inner)
    return outer.hexdigest().encode("ascii")


def _stamp(name: str) -> FileStamp | None:
    try:
        facts = os.stat(name, follow_symlinks=False)
    except OSError:
        return None
    return (facts.st_ino, facts.st_mode, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)


def _why(error: Exception) -> str:
    return str(error) if type(error) is ValueError else f"it has another form: {error}"
