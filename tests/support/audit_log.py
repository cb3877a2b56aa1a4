"""Logs for tests: a key of their own, a clock that counts, and what verification says of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from skilllite_sandbox.audit.facts import Redaction
from skilllite_sandbox.audit.files import FILE_BYTES_MAX, FILES_KEPT
from skilllite_sandbox.audit.log import AuditLog
from skilllite_sandbox.audit.verification import LogState, verify_log
from skilllite_sandbox.signing import Ed25519Verifier, FileSigner

SIGNER = FileSigner(Ed25519PrivateKey.from_private_bytes(b"k" * 32))
START_NS = 1_767_225_600_000_000_000  # 2026-01-01


def counting_clock(step_ms: int = 7) -> Callable[[], int]:
    """Return a clock that goes on by a step at each look."""
    now_ns = START_NS

    def look() -> int:
        nonlocal now_ns
        now_ns += step_ms * 1_000_000
        return now_ns

    return look


def open_log(
    directory: Path,
    *,
    seal_always: bool = False,
    file_bytes_max: int = FILE_BYTES_MAX,
    files_kept: int = FILES_KEPT,
    signer: Callable[[], FileSigner] | None = lambda: SIGNER,
) -> AuditLog:
    """Return the log in a directory, which is made."""
    directory.mkdir(mode=0o700, exist_ok=True)
    return AuditLog(
        str(directory),
        signer,
        seal_always=seal_always,
        file_bytes_max=file_bytes_max,
        files_kept=files_kept,
        now_ns=counting_clock(),
        redaction=Redaction({}),
    )


def verify(
    directory: Path, *, file_bytes_max: int = FILE_BYTES_MAX, files_kept: int = FILES_KEPT
) -> LogState:
    """Return what verification with the key of these tests finds."""
    return verify_log(
        directory,
        SIGNER.public_key,
        Ed25519Verifier(),
        file_bytes_max=file_bytes_max,
        files_kept=files_kept,
    )


def fill(log: AuditLog, events: int, *, group: int = 1) -> None:
    """Record some events, in groups."""
    for number in range(events):
        log.record("run.ended", {"skill": f"skill-{number % 7}", "n": number, "why": "é\n"})
        if number % group == group - 1:
            log.flush()
    log.flush()
