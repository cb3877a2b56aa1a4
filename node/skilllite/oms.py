"""OpenSSF model signing bundles of `add` and `verify`: files in, files out."""

from __future__ import annotations

from pathlib import Path

from skilllite.errors import NotFound, UsageError
from skilllite.install import Vouch
from skilllite_sandbox.errors import KeyUnusable
from skilllite_sandbox.integrity.entries import Entry, read_entries
from skilllite_sandbox.integrity.oms import (
    BUNDLE_BYTES_MAX,
    check_covered,
    make_bundle,
    open_bundle,
)
from skilllite_sandbox.manifest import folder_name
from skilllite_sandbox.private_file import PRIVATE_FILE_BYTES_MAX
from skilllite_sandbox.signing import load_ec_private_key, load_ec_public_key
from skilllite_sandbox.skill import read_skill


def vouch_by_bundle(bundle: Path, key: Path) -> Vouch:
    """Return what checks the files of a skill against a bundle that a key has to have signed.

    Raises:
        NotFound: there is no such file.
        KeyUnusable: the key is none.
        InvalidBundle: another key signed it, or it is no bundle.
    """
    try:
        public_key = load_ec_public_key(_read(key, PRIVATE_FILE_BYTES_MAX))
    except KeyUnusable as error:
        raise KeyUnusable(f"{key}: {error.message}") from None
    statement = open_bundle(_read(bundle, BUNDLE_BYTES_MAX), public_key)

    def vouch(entries: tuple[Entry, ...]) -> str:
        check_covered(statement, entries)
        return f"oms:{public_key.fingerprint}"

    return vouch


def export_bundle(directory: Path, target: Path, key: Path) -> None:
    """Sign the files of a skill and write the bundle.

    Raises:
        UsageError: the file is there already, or would be a change of an installed skill.
        InvalidSkill: the skill holds what no bundle covers.
    """
    if target.absolute().is_relative_to(directory.resolve()):
        raise UsageError(
            f"{target} lies inside the skill, which would be changed by it",
            hint="write it beside the skill, and hand out both",
        )
    try:
        private_key = load_ec_private_key(_read(key, PRIVATE_FILE_BYTES_MAX))
    except KeyUnusable as error:
        raise KeyUnusable(f"{key}: {error.message}") from None
    name = read_skill(directory, folder=folder_name(directory)).name
    data = make_bundle(name, read_entries(directory), private_key)
    try:
        with target.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise UsageError(f"{target} exists already", hint="choose another name") from None
    except OSError as error:
        raise UsageError(f"{target} can't be written", cause=error.strerror) from None


def _read(path: Path, limit_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limit_bytes + 1)
    except OSError as error:
        raise NotFound(f"{path} can't be read", cause=error.strerror) from None
