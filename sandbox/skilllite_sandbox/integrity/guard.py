"""What stands before every run, at every level: is this skill still what was installed?

Compares the digest and the permission bits of what is about to run with the register, asks the
denylist, and says how far the skill is trusted. It reads what a run can afford: two small files
when they were written, else their stamps. Who finds a difference pays for explaining it.
"""

# Strings, not pathlib: every run asks.
# ruff: noqa: PTH100, PTH114, PTH119, PTH120

from __future__ import annotations

import os
from functools import cached_property

from skilllite_sandbox.errors import InvalidSkill, NotFound, SandboxError, SkillChanged
from skilllite_sandbox.integrity.places import MARK_NAME, REGISTER_NAME, Places
from skilllite_sandbox.integrity.trust import BUNDLED, LOCAL, UNKNOWN, Trust, TrustTier
from skilllite_sandbox.stamps import Stamp, stamp_of
from skilllite_sandbox.values import dataclass

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from skilllite_sandbox.integrity.denylist import Denylist, DenylistFile
    from skilllite_sandbox.integrity.entries import Change
    from skilllite_sandbox.integrity.register import Register, Registered, RegisterFile

KNOWN_MAX = 256  # directories, as many as the stage remembers
CHANGES_SHOWN_MAX = 8  # in an error; `verify` shows all


@dataclass(frozen=True, slots=True)
class _Admitted:
    digest: str
    stamp: Stamp | None
    register: Register | None
    denylist: Denylist | None
    trust: Trust


@dataclass(frozen=True, slots=True)
class _Seen:
    directory: str
    digest: str
    given: str
    """The directory as it was stamped."""
    stamp: Stamp | None

    def modes(self) -> str:
        try:
            stamp = self.stamp or stamp_of(self.given)
        except OSError as error:
            cause = error.strerror or str(error)
            raise InvalidSkill(f"{self.directory} can't be read", cause=cause) from None
        from skilllite_sandbox.integrity.modes import modes_of_stamp

        return modes_of_stamp(stamp, self.given)


class Guard:
    """Compares skills with what one home knows of them. Safe to use from several threads."""

    def __init__(
        self,
        *,
        place: str,
        keys: str,
        skills: str,
        denylist: str,
        bundled_root: str = "",
        bundled: Callable[[], Mapping[str, str]] = dict,
        team_keys: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        """Say where everything is; nothing is read before the first run.

        Args:
            place: The directory of the register and the manifests.
            keys: The directory of the node's keys.
            skills: The directory of the skills of the home.
            denylist: The file.
            bundled_root: The directory of the skills that ship with the package.
            bundled: Gives the digests of these by their folders.
            team_keys: Gives the keys, in hex, that the team certifies for signing skills.
        """
        self.places = Places(skills)
        self.place = place
        self._keys = keys
        self._denylist_name = denylist
        self._bundled_root = os.path.realpath(bundled_root) if bundled_root else ""
        self._bundled = bundled
        self._team_keys = team_keys
        self._admitted: dict[str, _Admitted] = {}

    @cached_property
    def register(self) -> RegisterFile:
        """What is known of installed skills."""
        from skilllite_sandbox.integrity.register import RegisterFile

        return RegisterFile(self.place, self._keys)

    @cached_property
    def denylist(self) -> DenylistFile:
        """What may not run."""
        from skilllite_sandbox.integrity.denylist import DenylistFile

        return DenylistFile(self._denylist_name)

    def _present_register(self) -> Register | None:
        """Return the register; None, without a module for it, when nothing was ever installed."""
        if _is_absent(f"{self.place}/{REGISTER_NAME}") and _is_absent(f"{self._keys}/{MARK_NAME}"):
            return None
        return self.register.current()

    def _present_denylist(self) -> Denylist | None:
        """Return the list; None, without a module for it, when there is none."""
        return None if _is_absent(self._denylist_name) else self.denylist.current()

    def admit(self, directory: str, digest: str, stamp: Stamp | None) -> Trust:
        """Return how far a skill is trusted that is as it should be.

        Args:
            directory: Where it is.
            digest: Of its content, which is what will run.
            stamp: Taken before the content was read; with the same object nothing is asked again.

        Raises:
            SkillChanged: it isn't what was installed there.
            PolicyDenied: it is on the denylist, or the list can't be read.
            RegisterUntrusted: nothing can be compared.
        """
        denylist = self._present_denylist()
        register = self._present_register()
        given, directory = directory, os.path.abspath(directory)
        known = self._admitted.get(directory)
        if (
            known is not None
            and known.stamp is stamp is not None
            and known.digest == digest
            and known.register is register
            and known.denylist is denylist
            # Whether the team still certifies the key can change without any file of ours.
            and known.trust.tier is not TrustTier.TEAM
        ):
            return known.trust
        seen = _Seen(directory, digest, given, stamp)
        trust = self._judge(seen, register)
        if denylist is not None:
            denylist.refuse(digest=digest, source=trust.source)
        if len(self._admitted) >= KNOWN_MAX:
            self._admitted.clear()
        self._admitted[directory] = _Admitted(digest, stamp, register, denylist, trust)
        return trust

    def admit_name(self, directory: str, name: str, trust: Trust) -> None:
        """Refuse a name that isn't this skill's to have; after `admit`, when the skill was read.

        Raises:
            SkillChanged: a skill of that name was installed beside it: moved away and changed, or
                another one put there under its name, it would run in its place.
            PolicyDenied: the name is on the denylist.
        """
        denylist = self._present_denylist()
        if denylist is not None and denylist.patterns:
            denylist.refuse(name=name, source=trust.source)
        if not trust.installed and trust.tier is not TrustTier.BUNDLED:
            self._refuse_namesake(directory, name)

    def _refuse_namesake(self, directory: str, name: str) -> None:
        register = self._present_register()
        if register is None:
            return
        roots = {os.path.dirname(key) for key in self.places.keys_of(directory)}
        for key, registered in register.skills.items():
            if registered.name == name and os.path.dirname(key) in roots:
                raise SkillChanged(
                    f"{os.path.abspath(directory)} is not the {name} that was installed",
                    cause=f"that one is in {self.places.directory_of(key)}",
                    hint="move this one out of there; or rename it back, if it is the one",
                )

    def explain(self, directory: str, error: SandboxError) -> SandboxError:
        """Return the error for a directory that can't be read: of an installed skill, a change."""
        for key in self.places.keys_of(directory):
            registered = self.register.current().skills.get(key)
            if registered is not None:
                return self._changed(directory, key, registered, str(error.message))
        return error

    def record_of(self, directory: str) -> Registered | None:
        """Return what the register says of a directory; None when nothing is installed there."""
        return self.register.current().skills.get(self.key_of(directory))

    def key_of(self, directory: str) -> str:
        """Return the key of a directory in the register, or what it would be there."""
        skills = self.register.current().skills
        keys = self.places.keys_of(directory)
        return next((key for key in keys if key in skills), keys[0])

    def directory_of_name(self, name: str, roots: Iterable[str]) -> str | None:
        """Return where the skill of this name was installed, below one of these directories.

        For names that nobody finds any more: whatever is there now, and whether anything is.
        """
        wanted = {os.path.realpath(root) for root in roots}
        for key, registered in self.register.current().skills.items():
            directory = self.places.directory_of(key)
            if registered.name == name and os.path.realpath(os.path.dirname(directory)) in wanted:
                return directory
        return None

    def trust_of(self, directory: str) -> Trust:
        """Return the trust by the record alone, without looking at the content.

        For listings, and for what was admitted already: then it costs next to nothing.
        """
        known = self._admitted.get(os.path.abspath(directory))
        if (
            known is not None
            and known.register is self._present_register()
            and known.trust.tier is not TrustTier.TEAM
        ):
            return known.trust
        if self._is_bundled(directory):
            return BUNDLED
        registered = self.record_of(directory)
        if registered is not None:
            return self._trust(self.key_of(directory), registered)
        return UNKNOWN if self.places.is_in_home(directory) else LOCAL

    def _judge(self, seen: _Seen, register: Register | None) -> Trust:
        directory = seen.directory
        trust: Trust | None = None
        for key in () if register is None else self.places.keys_of(directory):
            assert register is not None
            registered = register.skills.get(key)
            if registered is None:
                continue
            if os.path.islink(directory) and key != self.places.key_of(os.path.realpath(directory)):
                raise self._changed(directory, key, registered, "a link is in its place")
            if registered.digest != seen.digest or registered.modes != seen.modes():
                raise self._changed(directory, key, registered)
            trust = trust or self._trust(key, registered)
        if trust is not None:
            return trust
        if self._is_bundled(directory):
            return self._judge_bundled(directory, seen.digest)
        return UNKNOWN if self.places.is_in_home(directory) else LOCAL

    def _trust(self, key: str, registered: Registered) -> Trust:
        tier = TrustTier(registered.tier)
        if tier is TrustTier.TEAM and registered.author not in self._team_keys():
            tier = TrustTier.COMMUNITY  # the member left, or the key was revoked
        return Trust(
            tier,
            key,
            registered.source,
            registered.author,
            registered.verdict,
            registered.scanner_version,
        )

    def _is_bundled(self, directory: str) -> bool:
        if not self._bundled_root:
            return False
        return os.path.dirname(os.path.realpath(directory)) == self._bundled_root

    def _judge_bundled(self, directory: str, digest: str) -> Trust:
        folder = os.path.basename(os.path.realpath(directory))
        expected = self._bundled().get(folder)
        if expected is None:
            raise SkillChanged(
                f"{folder} lies among the skills of the package and isn't one of them",
                hint="remove it, or move it into a folder of your own",
            )
        if digest != expected and _without_byte_code(directory) != expected:
            raise SkillChanged(
                f"{folder}, which ships with the package, was changed",
                hint="install the package again; a changed copy of it belongs into .skills",
            )
        return BUNDLED

    def _changed(
        self, directory: str, key: str, registered: Registered, cause: str = ""
    ) -> SkillChanged:
        changes = () if cause else changes_since(self.place, key, registered, directory)
        shown = [str(each) for each in changes[:CHANGES_SHOWN_MAX]]
        more = len(changes) - len(shown)
        shown += [f"and {more} more"] if more > 0 else []
        return SkillChanged(
            f"{registered.name} is not what was installed",
            cause=cause or "; ".join(shown) or "its manifest can't be read",
            hint=f"`skilllite verify {registered.name}` shows it; `skilllite add --force SOURCE` "
            f"installs it again, `skilllite verify --accept {registered.name}` keeps the change",
            changes=changes,
        )


def _is_absent(name: str) -> bool:
    try:
        os.lstat(name)
    except FileNotFoundError:
        return True
    except OSError:
        return False  # who reads it says why it can't be read
    return False


def changes_since(
    place: str, key: str, registered: Registered, directory: str
) -> tuple[Change, ...]:
    """Return how a directory differs from its manifest; empty when that one can't be read."""
    from skilllite_sandbox.integrity.entries import differences, read_entries
    from skilllite_sandbox.integrity.manifest import InvalidManifest, decode_manifest
    from skilllite_sandbox.integrity.manifest_files import read_manifest_file

    try:
        data = read_manifest_file(place, key, registered)
        return differences(decode_manifest(data).entries, read_entries(directory))
    except (InvalidManifest, InvalidSkill, NotFound, OSError):
        return ()


def _without_byte_code(directory: str) -> str:
    """Return the digest without what installers compile: runs never use that (byte code)."""
    from skilllite_sandbox.integrity.entries import digest_of, read_entries

    def is_byte_code(path: str) -> bool:
        parts = path.split("/")
        return "__pycache__" in parts and (parts[-1] == "__pycache__" or path.endswith(".pyc"))

    return digest_of(each for each in read_entries(directory) if not is_byte_code(each.path))
