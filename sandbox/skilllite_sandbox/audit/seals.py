"""Signed heads: which line was the last at some time, said by the key of this node.

A head covers every line before it, since lines are chained; the heads of a file are chained too, so
that the signature of its last one covers them all. `cryptography` is imported by whoever signs or
checks, not here.
"""

from __future__ import annotations

import json
import os

from skilllite_sandbox.audit.files import PRIVATE_FILE, heads_name
from skilllite_sandbox.audit.line import GENESIS, SEQUENCE_MAX, Head, Malformed, is_hex, is_time
from skilllite_sandbox.digest import sha256

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from skilllite_sandbox.signing import Signer

HEAD_BYTES_MAX = 1024  # one is 400 bytes
_DOMAIN = b"skilllite audit head v1\n"
_LINKS = b"skilllite audit heads v1\n"
_SIGNATURE_KEY = b',"sig":"'
_SIGNATURE_TAIL = len(_SIGNATURE_KEY) + 128 + len(b'"}')
_CHARS = {"hash": 64, "prev": 64, "key": 64, "sig": 128}


class SealedHead:
    """A head as it stands in the file, its signature not checked."""

    __slots__ = ("head", "key", "link", "previous", "signature", "signed", "time")

    def __init__(self, data: bytes, value: dict[str, str], sequence: int) -> None:
        self.head = Head(sequence, value["hash"])
        self.time = value["time"]
        self.previous = value["prev"]
        self.key = bytes.fromhex(value["key"])
        self.signature = bytes.fromhex(value["sig"])
        self.signed = _DOMAIN + data[:-_SIGNATURE_TAIL]
        """What the signature is over."""
        self.link = _link(data)
        """What the next head of the file has for `prev`."""


def write_head(head: Head, time: str, previous: str, signer: Signer) -> bytes:
    """Return the signed head, with its end.

    Args:
        head: The last line.
        time: As `line.time_text` gives it.
        previous: The link of the head before it in the file, zeros for the first.
        signer: The key of this node.
    """
    body = (
        f'{{"seq":{head.sequence},"hash":"{head.hash}","time":"{time}","prev":"{previous}",'
        f'"key":"{signer.public_key.hex()}"'
    ).encode("ascii")
    signature = signer.sign(_DOMAIN + body).hex().encode()
    return body + _SIGNATURE_KEY + signature + b'"}\n'


def read_head(data: bytes) -> SealedHead:
    """Return the head that these bytes are, without its end.

    Raises:
        Malformed: they are none.
    """
    try:
        value = json.loads(data[: HEAD_BYTES_MAX + 1].decode("ascii"))
    except (ValueError, RecursionError):
        raise Malformed("not a line of JSON") from None
    if not isinstance(value, dict) or list(value) != ["seq", "hash", "time", "prev", "key", "sig"]:
        raise Malformed("not the six parts of a head")
    sequence = value["seq"]
    if type(sequence) is not int or not 0 < sequence <= SEQUENCE_MAX:
        raise Malformed("`seq` is not what it can be")
    if not is_time(value["time"]):
        raise Malformed("`time` is not what it can be")
    for key, chars in _CHARS.items():
        if not is_hex(value[key], chars):
            raise Malformed(f"`{key}` is not what it can be")
    if json.dumps(value, separators=(",", ":")).encode() != data:
        raise Malformed("not written as a head is")
    return SealedHead(data, value, sequence)


def append_head(directory: str, name: str, head: Head, time: str, signer: Signer) -> None:
    """Sign the head of a file of lines, whose bytes are on the disk. The caller holds the lock.

    Raises:
        OSError: it can't be written.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(f"{directory}/{heads_name(name)}", flags, PRIVATE_FILE)
    try:
        size = os.fstat(descriptor).st_size
        last, torn = _tail(descriptor, size)
        if torn:
            # Torn off by a crash before anybody was told of it; what it sealed is sealed now.
            size -= torn
            os.ftruncate(descriptor, size)
        data = write_head(head, time, GENESIS if last is None else last.link, signer)
        try:
            if os.write(descriptor, data) != len(data):
                raise OSError(28, "no space left on device")
            os.fdatasync(descriptor)
        except OSError:
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)


def last_sealed(directory: str, name: str) -> tuple[int, float]:
    """Return the line that was sealed last in a file, 0 for none, and when, in seconds."""
    try:
        descriptor = os.open(f"{directory}/{heads_name(name)}", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0, 0.0
    try:
        status = os.fstat(descriptor)
        last, _ = _tail(descriptor, status.st_size)
    finally:
        os.close(descriptor)
    return (0, 0.0) if last is None else (last.head.sequence, status.st_mtime)


def _tail(descriptor: int, size: int) -> tuple[SealedHead | None, int]:
    """Return the last head of a file, and how many bytes behind it are no line."""
    begin = max(0, size - 2 * HEAD_BYTES_MAX)
    data = os.pread(descriptor, size - begin, begin)
    newline = data.rfind(b"\n")
    torn = len(data) - newline - 1
    if newline < 0:
        return None, torn
    try:
        return read_head(data[data.rfind(b"\n", 0, newline) + 1 : newline]), torn
    except Malformed:
        return None, torn  # the chain of heads breaks here, and verification says so


def _link(data: bytes) -> str:
    return sha256(_LINKS + data).hexdigest()
