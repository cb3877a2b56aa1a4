"""Writing down what was installed: manifests, the register, and the number of its latest version.

The order makes every crash fail closed. Manifest and register are written before the files of the
skill get their place: until they do, what lies there is not what the register says, and doesn't
run.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skilllite_sandbox.errors import RegisterUntrusted
from skilllite_sandbox.integrity.entries import Entry
from skilllite_sandbox.integrity.manifest import (
    Facts,
    Manifest,
    encode_manifest,
    sign_manifest,
)
from skilllite_sandbox.integrity.manifest_files import FOLDER_NAME, manifest_file_name
from skilllite_sandbox.integrity.places import MARK_NAME, REGISTER_NAME, Places
from skilllite_sandbox.integrity.register import (
    EMPTY,
    KEY_NAME,
    Register,
    Registered,
    RegisterFile,
    encode_mark,
    encode_register,
)
from skilllite_sandbox.private_file import (
    ensure_private_directory,
    remove_private_file,
    replace_private_file,
)
from skilllite_sandbox.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.signing import Signer

LOCK_WAIT_S = 10.0  # held for a few small writes; longer means a stopped process
_LOCK_POLL_S = 0.02
_LOCK_NAME = ".lock"


class IntegrityStore:
    """What one home knows of its installed skills, for those that change it."""

    def __init__(self, *, place: Path, keys: Path, skills: Path) -> None:
        """Take the directories of the register, the node's keys and the home's skills."""
        self.place = place
        self.keys = keys
        self.places = Places(os.fspath(skills))
        self.register_file = RegisterFile(os.fspath(place), os.fspath(keys))

    @contextmanager
    def installing(
        self, directory: Path, facts: Facts, entries: tuple[Entry, ...]
    ) -> Iterator[Manifest]:
        """Write down what is about to be in `directory`; what the block raises takes it back.

        Args:
            directory: Where the block puts the skill.
            facts: Of the installation; place and version are filled in here.
            entries: What will be there.

        Raises:
            RegisterUntrusted: the register can't be continued.
            KeyUnusable: the node's key or its directory can't be used.
        """
        with self._exclusive():
            key = self.places.key_of(os.fspath(directory))
            # Read first: with its key gone, a new one would silently be a new identity.
            register = self.register_file.read()
            signer = self._signer()
            register = self._continued(register, signer)
            before = register.skills.get(key)
            version = before.version + 1 if before is not None else 1
            manifest = sign_manifest(replace(facts, place=key, version=version), entries, signer)
            self._write_manifest(manifest)
            self._write(register, {**register.skills, key: _registered(manifest)}, signer)
            try:
                yield manifest
            except BaseException:
                self._take_back(key, before, signer)
                self._remove_manifest(key, version)
                raise
            if before is not None:
                self._remove_manifest(key, before.version)

    def forget(self, directory: Path) -> bool:
        """Strike a directory from the register; return whether it was in there."""
        with self._exclusive():
            key = self.places.key_of(os.fspath(directory))
            register = self.register_file.read()
            before = register.skills.get(key)
            if before is None:
                return False
            self._take_back(key, None, self._signer())
            self._remove_manifest(key, before.version)
            return True

    def _continued(self, register: Register, signer: Signer) -> Register:
        if register is EMPTY:
            return Register(0, signer.public_key.hex(), {})
        if register.public_key != signer.public_key.hex():
            raise RegisterUntrusted(
                "the manifests of this home were signed with another key",
                hint=f"restore {self.keys / KEY_NAME} from a backup",
            )
        return register

    def _take_back(self, key: str, before: Registered | None, signer: Signer) -> None:
        register = self.register_file.read()
        skills = {place: each for place, each in register.skills.items() if place != key}
        if before is not None:
            skills[key] = before
        self._write(register, skills, signer)

    def _write(self, register: Register, skills: dict[str, Registered], signer: Signer) -> None:
        counter = register.counter + 1
        fresh = Register(counter, signer.public_key.hex(), skills)
        seal_key = self.register_file.seal_key()
        if register.counter == 0:
            # A register without its number isn't trusted: not even the first, after a crash.
            replace_private_file(self.keys / MARK_NAME, encode_mark(0, seal_key))
        replace_private_file(self.place / REGISTER_NAME, encode_register(fresh, seal_key))
        replace_private_file(self.keys / MARK_NAME, encode_mark(counter, seal_key))

    def _write_manifest(self, manifest: Manifest) -> None:
        facts = manifest.facts
        name = manifest_file_name(os.fspath(self.place), facts.place, facts.version)
        ensure_private_directory(self.place / FOLDER_NAME)
        replace_private_file(Path(name), encode_manifest(manifest))

    def _remove_manifest(self, key: str, version: int) -> None:
        remove_private_file(Path(manifest_file_name(os.fspath(self.place), key, version)))

    def _signer(self) -> Signer:
        from skilllite_sandbox.signing import load_or_create_signer  # 40 ms

        return load_or_create_signer(self.keys / KEY_NAME)

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        ensure_private_directory(self.place)
        name = self.place / _LOCK_NAME
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            deadline = time.monotonic() + LOCK_WAIT_S
            while True:
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                if time.monotonic() > deadline:
                    raise RegisterUntrusted(
                        f"the register has been locked for {LOCK_WAIT_S:.0f} s",
                        hint="a stopped skilllite process may hold it",
                    )
                time.sleep(_LOCK_POLL_S)
            yield
        finally:
            os.close(descriptor)


def _registered(manifest: Manifest) -> Registered:
    facts = manifest.facts
    return Registered(
        name=facts.name,
        digest=facts.digest,
        modes=manifest.modes,
        version=facts.version,
        tier=facts.tier,
        source=facts.source,
        author=facts.author,
        verdict=facts.verdict,
        scanner_version=facts.scanner_version,
        manifest_sha256=hashlib.sha256(encode_manifest(manifest)).hexdigest(),
    )
