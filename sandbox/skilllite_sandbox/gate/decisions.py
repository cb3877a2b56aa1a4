"""What persons have agreed to, and what they are still asked, in the home of one user.

    reports/ID.json          a question; its id can't be guessed, answers once, and expires
    once/DIGEST-ID.json      a consent for one run; whoever removes the file has the run
    always/DIGEST.json       a consent for every run of this content
    grants/DIGEST.json       what this content may do beyond computing
    hides/DIGEST.json        this content may take the place of a bundled or installed skill
    folders/HASH.json        the skills of this folder are used

Nothing is carried over to other content but grants, under the conditions of `keep_grants`.
"""

from __future__ import annotations

import time

from skilllite_sandbox.digest import is_digest, sha256
from skilllite_sandbox.gate.records import Records
from skilllite_sandbox.policy import NOTHING_GRANTED, Grants
from skilllite_sandbox.values import dataclass

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from skilllite_sandbox.capabilities import Requests
    from skilllite_sandbox.gate.request import ConsentRequest

VERSION = 1
REPORT_KEPT_S = 900.0  # a person who was told of a report reads it soon, or asks anew
ONCE_KEPT_S = 900.0  # a consent for one run is for the run that was asked for, not a later whim
REPORTS_MAX = 256  # questions that wait; above that the oldest go
ONCE_MAX = 256
ID_BYTES = 15  # 120 bits: nobody finds one by trying
ID_CHARS = 24
NAMES_MAX = 256  # of hosts, programs or variables in one grant; a skill may ask for 64 of each
_ID_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz234567")


@dataclass(frozen=True, slots=True)
class GrantRecord:
    """What a person granted one content."""

    digest: str
    name: str
    grants: Grants
    place: str
    """Where the skill was; empty if it may not be carried over to other content there."""
    asked: Grants
    """What the skill asked for."""
    given_at: float


@dataclass(frozen=True, slots=True)
class Agreed:
    """A consent for every run of one content."""

    digest: str
    name: str
    codes: tuple[str, ...]
    grants: Grants
    given_at: float


class Decisions:
    """The decisions of one home. Safe to use from several threads and processes."""

    def __init__(
        self,
        directory: str,
        *,
        on_damage: Callable[[str], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        """Open nothing yet.

        Args:
            directory: Of this user alone; made when something is written.
            on_damage: Told of records that can't be used.
            now: The wall clock.
        """
        self._reports = Records(f"{directory}/reports", on_damage)
        self._once = Records(f"{directory}/once", on_damage)
        self._always = Records(f"{directory}/always", on_damage)
        self._grants = Records(f"{directory}/grants", on_damage)
        self._hides = Records(f"{directory}/hides", on_damage)
        self._folders = Records(f"{directory}/folders", on_damage)
        self._now = now

    # Questions

    def file_report(self, request: ConsentRequest) -> str:
        """Keep a question; return the id under which a person answers it."""
        from base64 import b32encode
        from os import urandom

        self._forget_old(self._reports, REPORT_KEPT_S, REPORTS_MAX)
        report_id = b32encode(urandom(ID_BYTES)).decode("ascii").lower()
        self._reports.write(report_id, {**_encode(request), "at": self._now()})
        return report_id

    def report(self, report_id: str) -> ConsentRequest | None:
        """Return a question that waits for its answer; None when there is none of this id."""
        if len(report_id) != ID_CHARS or not _ID_LETTERS.issuperset(report_id):
            return None
        record = self._reports.read(report_id)
        if record is None or not self._is_fresh(record, REPORT_KEPT_S):
            return None
        try:
            return _decode(record)
        except (KeyError, TypeError, ValueError):
            self._reports.reject(report_id, "it is not a report")
            return None

    def close_report(self, report_id: str) -> bool:
        """Take a question away; return whether it was this call that did: only one answers."""
        return self._reports.take(report_id)

    # Consents

    def agree(self, request: ConsentRequest) -> None:
        """Keep a consent for every run of this content that wants no more than this."""
        self._always.write(_hex(request.digest), {**_encode(request), "at": self._now()})

    def agree_once(self, request: ConsentRequest) -> None:
        """Keep a consent for one run."""
        from secrets import token_hex

        self._forget_old(self._once, ONCE_KEPT_S, ONCE_MAX)
        name = f"{_hex(request.digest)}-{token_hex(8)}"
        self._once.write(name, {**_encode(request), "at": self._now()})

    def is_agreed(self, request: ConsentRequest) -> bool:
        """Return whether somebody agreed for good to this content with all of that."""
        record = self._always.read(_hex(request.digest))
        if record is None:
            return False
        try:
            return _is_covered(request, _decode(record))
        except (KeyError, TypeError, ValueError):
            self._always.reject(_hex(request.digest), "it is not a consent")
            return False

    def use_once(self, request: ConsentRequest) -> bool:
        """Use up a consent for one run, if there is one for all of that."""
        prefix = f"{_hex(request.digest)}-"
        for name in self._once.names():
            if not name.startswith(prefix):
                continue
            record = self._once.read(name)
            if record is None:
                continue
            try:
                agreed = _decode(record)
            except (KeyError, TypeError, ValueError):
                self._once.reject(name, "it is not a consent")
                continue
            if not self._is_fresh(record, ONCE_KEPT_S):
                self._once.take(name)
            elif _is_covered(request, agreed) and self._once.take(name):
                return True
        return False

    def agreed(self) -> list[Agreed]:
        """Return every consent that is kept for good."""
        found = []
        for name in self._always.names():
            record = self._always.read(name)
            if record is None:
                continue
            try:
                request, at = _decode(record), float(record["at"])
            except (KeyError, TypeError, ValueError):
                self._always.reject(name, "it is not a consent")
                continue
            found.append(Agreed(request.digest, request.name, request.codes, request.grants, at))
        return found

    # Grants

    def grant(
        self, digest: str, *, name: str, grants: Grants, asked: Grants, place: str = ""
    ) -> None:
        """Keep what a person grants one content, instead of what was granted before."""
        record = {
            "version": VERSION,
            "digest": digest,
            "name": name,
            "grants": encode_grants(grants),
            "asked": encode_grants(asked),
            "place": place,
            "at": self._now(),
        }
        self._grants.write(_hex(digest), record)

    def grants(self, digest: str) -> Grants:
        """Return what was granted this content."""
        record = self.grant_record(digest)
        return NOTHING_GRANTED if record is None else record.grants

    def grant_record(self, digest: str) -> GrantRecord | None:
        """Return what was granted this content, and when."""
        return self._grant_record(_hex(digest))

    def grant_records(self) -> list[GrantRecord]:
        """Return every grant there is."""
        found = map(self._grant_record, self._grants.names())
        return [each for each in found if each is not None]

    def granted_at(self, place: str) -> list[GrantRecord]:
        """Return what was granted the contents of a place, of which new content may keep it."""
        return [each for each in self.grant_records() if place and each.place == place]

    def keep_grants(
        self, digest: str, *, name: str, asked: Grants, place: str
    ) -> GrantRecord | None:
        """Carry over what was granted the former content of a place; return it, None if nothing.

        Only when the new content asks for no more than the old one did. The caller knows that its
        author is this user.
        """
        from skilllite_sandbox.gate.request import covers

        former = self.granted_at(place)
        if not former:
            return None
        latest = max(former, key=lambda each: each.given_at)
        if not covers(latest.asked, asked):
            return None
        self.grant(digest, name=name, grants=latest.grants, asked=asked, place=place)
        return self.grant_record(digest)

    def revoke(self, digest: str) -> bool:
        """Forget what was granted and agreed to for one content; return whether there was any.

        What was granted other contents of its place goes too: it would be carried over again.
        """
        record = self.grant_record(digest)
        granted = self._grants.take(_hex(digest))
        for each in self.granted_at(record.place) if record is not None else ():
            self._grants.take(_hex(each.digest))
        agreed = self._always.take(_hex(digest))
        agreed = self._hides.take(_hex(digest)) or agreed
        for name in self._once.names():
            if name.startswith(f"{_hex(digest)}-"):
                agreed = self._once.take(name) or agreed
        return granted or agreed

    # Folders, and names

    def trust(self, place: str, mark: str) -> None:
        """Keep that a person trusts the skills of a folder, which is told by its mark."""
        record = {"version": VERSION, "place": place, "mark": mark, "at": self._now()}
        self._folders.write(_name_of(place), record)

    def is_trusted(self, place: str, mark: str) -> bool:
        """Return whether a person trusted the folder that has this path and mark."""
        record = self._folders.read(_name_of(place))
        return (
            record is not None
            and record.get("version") == VERSION
            and record.get("place") == place
            and record.get("mark") == mark
        )

    def distrust(self, place: str) -> bool:
        """Forget a folder; return whether it was trusted."""
        return self._folders.take(_name_of(place))

    def trusted_folders(self) -> list[str]:
        """Return the paths of the folders that are trusted."""
        found = map(self._folders.read, self._folders.names())
        return sorted(str(record.get("place")) for record in found if record is not None)

    def let_hide(self, digest: str, name: str) -> None:
        """Keep that this content may take the place of another skill of its name."""
        record = {"version": VERSION, "digest": digest, "name": name, "at": self._now()}
        self._hides.write(_hex(digest), record)

    def may_hide(self, digest: str, name: str) -> bool:
        """Return whether it may; content without a name in it has that of any folder."""
        return (digest, name) in self._hiding(_hex(digest))

    def hiding(self) -> list[tuple[str, str]]:
        """Return digests and names of what may take the place of other skills."""
        return [each for name in self._hides.names() for each in self._hiding(name)]

    def _hiding(self, record_name: str) -> list[tuple[str, str]]:
        record = self._hides.read(record_name)
        if record is None:
            return []
        digest, name = record.get("digest"), record.get("name")
        if not isinstance(name, str) or digest != f"sha256:{record_name}":
            self._hides.reject(record_name, "it is not of this digest")
            return []
        return [(digest, name)]

    def _grant_record(self, name: str) -> GrantRecord | None:
        record = self._grants.read(name)
        if record is None:
            return None
        try:
            digest = str(record["digest"])
            if record["version"] != VERSION or _hex(digest) != name:
                raise ValueError("of something else")
            return GrantRecord(
                digest,
                str(record["name"]),
                decode_grants(record["grants"]),
                str(record["place"]),
                decode_grants(record["asked"]),
                float(record["at"]),
            )
        except (KeyError, TypeError, ValueError):
            self._grants.reject(name, "it is not a grant")
            return None

    def _is_fresh(self, record: dict[str, Any], kept_s: float) -> bool:
        at = record.get("at")
        return isinstance(at, (int, float)) and 0 <= self._now() - at < kept_s

    def _forget_old(self, records: Records, kept_s: float, most: int) -> None:
        ages = []
        for name in records.names():
            record = records.read(name)
            if record is None:
                continue
            if not self._is_fresh(record, kept_s):
                records.take(name)
            else:
                ages.append((record["at"], name))
        for _, name in sorted(ages)[: max(len(ages) - most + 1, 0)]:
            records.take(name)


def asked_by(requests: Requests) -> Grants:
    """Return what a skill asks for, as the grants that would give it.

    Prose that asks for network names no host and so asks for any; a rule of a Bash tool asks for
    the programs that it lets through.
    """
    any_host = ("*",) if requests.network_mentioned and not requests.network else ()
    rules = tuple(f"Bash({rule})" for rule in requests.bash_tools)
    return Grants(
        network=(*requests.network, *any_host), exec=(*requests.exec, *rules), env=requests.env
    )


def encode_grants(grants: Grants) -> dict[str, Any]:
    """Return grants as JSON has them."""
    return {
        "network": list(grants.network),
        "exec": list(grants.exec),
        "env": list(grants.env),
        "workspace": grants.workspace,
    }


def decode_grants(record: dict[str, Any]) -> Grants:
    """Return the grants of a record.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    if not isinstance(record["workspace"], bool):
        raise TypeError("workspace")
    return Grants(
        network=_names(record["network"]),
        exec=_names(record["exec"]),
        env=_names(record["env"]),
        workspace=record["workspace"],
    )


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > NAMES_MAX:
        raise ValueError("not a list of names")
    if not all(isinstance(each, str) for each in value):
        raise TypeError("not a name")
    return tuple(value)


def _is_covered(request: ConsentRequest, agreed: ConsentRequest) -> bool:
    """Return whether who agreed to the one knew of all that the other is about."""
    from skilllite_sandbox.gate.request import covers

    return (
        request.digest == agreed.digest
        and set(request.codes) <= set(agreed.codes)
        and covers(agreed.grants, request.grants)
    )


def _encode(request: ConsentRequest) -> dict[str, Any]:
    return {
        "version": VERSION,
        "name": request.name,
        "digest": request.digest,
        "verdict": request.verdict,
        "scanner": request.scanner,
        "rules": request.rules,
        "heavy": [
            [each.code, each.severity, each.file, each.line, each.message] for each in request.heavy
        ],
        "heavy_count": request.heavy_count,
        "codes": list(request.codes),
        "grants": encode_grants(request.grants),
    }


def _decode(record: dict[str, Any]) -> ConsentRequest:
    from skilllite_sandbox.gate.request import ConsentRequest
    from skilllite_sandbox.gate.verdicts import Heavy

    if record["version"] != VERSION or not is_digest(record["digest"]):
        raise ValueError("of another version")
    if not isinstance(record["codes"], list) or not record["codes"]:
        raise ValueError("about nothing")
    return ConsentRequest(
        name=str(record["name"]),
        digest=record["digest"],
        verdict=str(record["verdict"]),
        scanner=int(record["scanner"]),
        rules=str(record["rules"]),
        heavy=tuple(
            Heavy(str(code), str(severity), str(file), int(line), str(message))
            for code, severity, file, line, message in record["heavy"]
        ),
        heavy_count=int(record["heavy_count"]),
        codes=tuple(map(str, record["codes"])),
        grants=decode_grants(record["grants"]),
    )


def _name_of(place: str) -> str:
    return sha256(place.encode("utf-8", "surrogateescape")).hexdigest()


def _hex(digest: str) -> str:
    assert is_digest(digest), digest
    return digest.removeprefix("sha256:")
