"""Which team this node belongs to: its birth, its certificates, its members, and how it changes.

A node is in exactly one team at any time; the first start makes a team of one with its own CA.
Every change is one replaced file (`team_record`), made durable before it counts, so that a crash
leaves the old team or the new one. Only the node where the CA was born issues certificates.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from skilllite_sandbox.errors import KeyUnusable
from skilllite_sandbox.private_file import replace_private_file
from skilllite_swarm.errors import (
    IdentityCorrupt,
    InvalidCertificate,
    JoinFailed,
    JoinReason,
    NotAMember,
    PeerRefused,
)
from skilllite_swarm.identity import (
    CertificateFacts,
    DeviceIdentity,
    certificate_facts,
    check_leaf,
    node_id_of_request,
    to_der,
    to_pem,
)
from skilllite_swarm.team_files import (
    Standing,
    TeamFiles,
    as_identity_corrupt,
    make_standing,
    settle,
)
from skilllite_swarm.team_record import (
    ADDRESSES_MAX,
    MEMBERS_MAX,
    LeftRecord,
    Member,
    Origin,
    TeamRecord,
    encode_record,
    read_record,
)
from skilllite_swarm.transport import TlsMaterial

RENEWAL_FRACTION: Final = 3
"""A leaf is renewed when one third of its lifetime is left: ten days to reach the CA's node."""


class Team:
    """This node's membership. Get one from `open_team`.

    One thread changes it; `tls` may be read from any thread, and is the same object until the
    certificates change.
    """

    def __init__(self, files: TeamFiles, identity: DeviceIdentity, standing: Standing) -> None:
        self._files = files
        self._identity = identity
        # Replaced whole: a reader on another thread never sees the leaf of one team with the CA of
        # another.
        self._standing = standing

    @property
    def team_id(self) -> str:
        """Hash of the CA's key: two teams can't have the same."""
        return self._standing.record.team_id

    @property
    def holds_ca(self) -> bool:
        """Whether this node can issue certificates, and so invite."""
        return self._standing.authority is not None

    @property
    def tls(self) -> TlsMaterial:
        """What this node proves itself with on every connection."""
        return self._standing.tls

    @property
    def ca_der(self) -> bytes:
        """The team's CA certificate."""
        return to_der(self._standing.record.ca_pem)

    @property
    def leaf(self) -> CertificateFacts:
        """What this node's own certificate says, its dates above all."""
        return self._standing.leaf

    @property
    def members(self) -> tuple[Member, ...]:
        """The other members this node has heard of; not every member of a large team."""
        return self._standing.record.members

    @property
    def is_alone(self) -> bool:
        """Whether nobody else ever was in this team, as far as this node's own files prove it."""
        return self._standing.record.is_alone

    @property
    def inviter(self) -> Member | None:
        """The other member that can invite, if this node can't and knows who does."""
        return next((member for member in self.members if member.holds_ca), None)

    def needs_renewal(self, now: datetime) -> bool:
        """Return whether a third or less of the leaf's lifetime is left."""
        leaf = self._standing.leaf
        lifetime = leaf.not_after - leaf.not_before
        return now >= leaf.not_after - lifetime / RENEWAL_FRACTION

    def issue_leaf(self, csr_der: bytes, now: datetime, *, caller: str | None = None) -> bytes:
        """Return a leaf (DER) for the key that signed the request.

        A certificate makes a member, so a request alone is not enough: it must come from `caller`,
        the node id that a connection inside the team has proved, or be for a node that is recorded
        as a member (or is this one). A member can't get a certificate for somebody else's key.
        """
        authority = self._standing.authority
        if authority is None:
            raise PeerRefused(
                "this node does not hold the team's CA and can't issue certificates",
                hint=f"ask {self.inviter.name}" if self.inviter else None,
            )
        node_id = node_id_of_request(csr_der)
        known = {self._identity.node_id, *(member.node_id for member in self.members)}
        if (caller is not None and node_id != caller) or (caller is None and node_id not in known):
            raise NotAMember(
                f"the certificate request is for {node_id[:8]}, which did not prove to be a member",
                hint="a newcomer joins by a code: `skilllite node invite`",
            )
        return authority.issue(csr_der, now)

    def admit(self, csr_der: bytes, name: str, now: datetime) -> bytes:
        """Record who signed the request as a member and return its first leaf (DER).

        The caller has made sure that a person wants this member in. Recorded before the leaf exists
        anywhere: a crash in between leaves a member without certificate, never the reverse.
        """
        authority = self._standing.authority
        if authority is None:
            raise PeerRefused("this node does not hold the team's CA and can't admit members")
        node_id = node_id_of_request(csr_der)
        leaf = authority.issue(csr_der, now)
        self.record_member(Member(node_id, name))
        return leaf

    def install_leaf(self, leaf_der: bytes, ca_der: bytes, now: datetime) -> None:
        """Replace this node's certificate by a renewed one of the same team.

        Raises:
            InvalidCertificate: It is not this node's, not this team's, or not valid now. The old
                one stays.
        """
        if to_der(ca_der) != self.ca_der:
            raise InvalidCertificate("the renewed certificate belongs to another team")
        facts = check_leaf(leaf_der, ca_der, now=now)
        if facts.node_id != self._identity.node_id:
            raise InvalidCertificate("the renewed certificate belongs to another node's key")
        self._store(replace(self._standing.record, leaf_pem=to_pem(leaf_der)))

    def renew_own(self, now: datetime) -> None:
        """Issue and install a fresh leaf for this node itself, which must hold the CA."""
        leaf = self.issue_leaf(self._identity.csr_der(), now, caller=self._identity.node_id)
        self.install_leaf(leaf, self.ca_der, now)

    def ensure_can_join(self, team_id: str | None = None) -> None:
        """Raise `JoinFailed` if this node may not join that team (None: one not known yet).

        Joining the own team again is allowed to all but its CA's node: it is the way back in when
        the leaf has expired.
        """
        if team_id == self.team_id:
            if self.holds_ca:
                raise JoinFailed(
                    "this node can't join the team that it made itself",
                    reason=JoinReason.ALREADY_MEMBER,
                    hint="run `skilllite node join` on the other machine",
                )
        elif not self.is_alone:
            count = len(self.members)
            size = f" with {count} other member{'' if count == 1 else 's'}" if count else ""
            raise JoinFailed(
                f"this node is in a team{size} already",
                reason=JoinReason.ALREADY_MEMBER,
                hint="leave that team first: `skilllite node leave`",
            )

    def join(
        self, leaf_der: bytes, ca_der: bytes, members: Iterable[Member], now: datetime
    ) -> None:
        """Become a member of another team, giving up the team of one.

        The CA key of the team of one is removed: it has signed nobody but this node, so nothing is
        lost with it, and a key that nobody needs can only leak.

        Raises:
            JoinFailed: This node has a team with others in it, or what came back is not right.
        """
        team_id = certificate_facts(ca_der).node_id
        self.ensure_can_join(team_id)
        try:
            facts = check_leaf(leaf_der, ca_der, now=now)
        except InvalidCertificate as error:
            raise JoinFailed(
                error.message, reason=JoinReason.WRONG_TEAM, hint=error.hint, cause=error.cause
            ) from error
        if facts.node_id != self._identity.node_id:
            raise JoinFailed(
                "the certificate that came back is for another key", reason=JoinReason.WRONG_TEAM
            )
        old = self._standing.record
        same = old.team_id == team_id
        known = {member.node_id: member for member in (old.members if same else ())}
        known |= {member.node_id: member for member in members}
        known.pop(self._identity.node_id, None)
        self._store(
            TeamRecord(
                team_id=team_id,
                origin=Origin.JOINED,
                ca_pem=to_pem(ca_der),
                leaf_pem=to_pem(leaf_der),
                members=tuple(known.values())[:MEMBERS_MAX],
                replaced_team_id=old.replaced_team_id if same else old.team_id,
            )
        )
        # The join counts already; what can't be removed now is removed at the next start.
        with contextlib.suppress(KeyUnusable):
            self._files.drop_replaced_key(self._standing.record)

    def record_member(self, member: Member) -> None:
        """Remember a member, or what is new about it. Empty addresses don't erase known ones.

        Raises:
            PeerRefused: The team is full.
        """
        if (problem := member.problem()) is not None:
            raise PeerRefused(f"can't remember the member {member.node_id[:8]!r}: {problem}")
        if member.node_id == self._identity.node_id:
            return
        known = {other.node_id: other for other in self.members}
        before = known.get(member.node_id)
        if before is None and len(known) >= MEMBERS_MAX:
            raise PeerRefused(
                f"the team has {MEMBERS_MAX} other members already, which is the limit"
            )
        if before is not None:
            addresses = member.addresses or before.addresses
            holds_ca = member.holds_ca or before.holds_ca
            member = replace(member, addresses=addresses[:ADDRESSES_MAX], holds_ca=holds_ca)
        if member == before:
            return
        known[member.node_id] = member
        self._store(replace(self._standing.record, members=tuple(known.values())))

    def leave(self, now: datetime) -> LeftTeam | None:
        """Leave the team and be reborn, at once, as a team of one."""
        left = leave_team(self._files.team_dir, self._files.keys_dir, now)
        self._standing = settle(self._files, self._identity, now)
        return left

    def _store(self, record: TeamRecord) -> None:
        standing = make_standing(self._identity, record, self._standing.authority_of(record))
        with as_identity_corrupt():
            replace_private_file(self._files.record, encode_record(record))
        self._standing = standing


@dataclass(frozen=True, slots=True)
class LeftTeam:
    """What was given up by leaving."""

    team_id: str
    """Empty when the files were too damaged to tell."""
    members: tuple[Member, ...]
    held_ca: bool
    """The others can't invite or renew any more: their certificates end within 30 days."""
    archived_key: Path | None
    """Where the CA key went, if others may still depend on it."""


def open_team(team_dir: Path, keys_dir: Path, identity: DeviceIdentity, now: datetime) -> Team:
    """Return this node's team; found one where there is none.

    Finishes what a crash interrupted. The node that holds the CA renews its own leaf here, so it
    comes back after months in a drawer.

    Raises:
        IdentityCorrupt: A file is damaged, open to others, or contradicts another. Nothing was
            replaced; the hint names the file and the way out.
    """
    files = TeamFiles(team_dir, keys_dir)
    with as_identity_corrupt():
        files.prepare()
    standing = settle(files, identity, now)
    team = Team(files, identity, standing)
    authority = standing.authority
    if authority is not None and team.needs_renewal(now) and authority.is_valid_at(now):
        team.renew_own(now)
    return team


def leave_team(team_dir: Path, keys_dir: Path, now: datetime) -> LeftTeam | None:
    """Forget the team; the next `open_team` founds a new one. None when there was nothing to leave.

    Works on damaged files too: it is the way out of them. A CA key that others may depend on is
    archived beside the other keys instead of removed, so that leaving by mistake can be repaired.
    """
    files = TeamFiles(team_dir, keys_dir)
    when = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    with as_identity_corrupt():
        files.prepare()
        damaged = False
        try:
            record = read_record(files.record)
        except IdentityCorrupt:
            files.set_damaged_record_aside(when)
            record, damaged = None, True
        has_key = files.has_ca_key()
        if record is None and not has_key:
            return LeftTeam("", (), held_ca=False, archived_key=None) if damaged else None
        members: tuple[Member, ...] = ()
        born_here = True
        if isinstance(record, LeftRecord):
            left = record  # an earlier leave was interrupted: finish that one
        else:
            team_id, alone = "", False
            if record is not None:
                team_id, alone, members = record.team_id, record.is_alone, record.members
                born_here = record.origin is Origin.BORN
            archive = f"ca-{team_id[:8] or 'unknown'}-{when}.pem" if has_key and not alone else ""
            left = LeftRecord(team_id, archive)
            replace_private_file(files.record, encode_record(left))
        files.finish_leaving(left)
    archived = keys_dir / left.archive_key_as if left.archive_key_as else None
    return LeftTeam(left.team_id, members, held_ca=has_key and born_here, archived_key=archived)
