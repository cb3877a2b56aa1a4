"""Where manifests are kept: one file for each installation, beside the register that names it.

A new version gets a new name, so that writing the register is the one step that changes which
manifest counts.
"""

# ruff: noqa: PTH118

from __future__ import annotations

import hashlib
import os

from skilllite_sandbox.integrity.manifest import MANIFEST_BYTES_MAX, InvalidManifest

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from skilllite_sandbox.integrity.register import Registered

FOLDER_NAME = "manifests"


def manifest_file_name(place: str, key: str, version: int) -> str:
    """Return the path of a manifest."""
    name = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return os.path.join(place, FOLDER_NAME, f"{name}-{version}.json")


def read_manifest_file(place: str, key: str, registered: Registered) -> bytes:
    """Return the bytes of the manifest that the register means.

    Raises:
        InvalidManifest: the file is gone, or another than the register knows.
    """
    name = manifest_file_name(place, key, registered.version)
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            data = file.read(MANIFEST_BYTES_MAX + 1)
    except OSError as error:
        raise InvalidManifest(f"{name}: {error.strerror}") from None
    if len(data) > MANIFEST_BYTES_MAX:
        raise InvalidManifest(f"{name} is larger than a manifest can be")
    if hashlib.sha256(data).hexdigest() != registered.manifest_sha256:
        raise InvalidManifest(f"{name} is not the manifest that was written")
    return data
