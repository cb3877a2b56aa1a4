"""Where a team stands on disk, and how a start finds it whole: birth, recovery, unfinished changes.

    keys/ca.pem          CA key and certificate, only where the team was born
    keys/ca.pem.newborn  the same, until `team.json` says that the team exists
    team/team.json       CA certificate, own leaf, members (see `team_record`)

`team.json` decides. A CA key that it doesn't know yet is unborn and is dropped; one that it no
longer knows is over and is removed; one that it needs and that isn't there stops the start.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from skilllite_sandbox.errors import KeyUnusable
from skilllite_sandbox.private_file import (
    ensure_private_directory,
    move_private_file,
    read_private_file,
    remove_private_file,
    replace_private_file,
)
from skilllite_swarm.errors import IdentityCorrupt, InvalidCertificate
from skilllite_swarm.identity import (
    CertificateAuthority,
    CertificateFacts,
    DeviceIdentity,
    certificate_facts,
    check_leaf,
    make_authority,
    to_der,
    to_pem,
)
from skilllite_swarm.team_record import (
    LeftRecord,
    Origin,
    TeamRecord,
    encode_record,
    read_record,
)
from skilllite_swarm.transport import TlsMaterial


@dataclass(frozen=True, slots=True)
class Standing:
    """One consistent membership: nothing in it belongs to another team."""

    record: TeamRecord
    authority: CertificateAuthority | None
    leaf: CertificateFacts
    tls: TlsMaterial

    def authority_of(self, record: TeamRecord) -> CertificateAuthority | None:
        """Return the authority if it is also the one behind that record."""
        if self.authority is None or record.origin is not Origin.BORN:
            return None
        return self.authority if self.authority.team_id == record.team_id else None


class TeamFiles:
    """The files of one node's team, and the steps that leave no mixture behind."""

    def __init__(self, team_dir: Path, keys_dir: Path) -> None:
        self.team_dir = team_dir
        self.keys_dir = keys_dir
        self.record = team_dir / "team.json"
        self.ca = keys_dir / "ca.pem"
        self.newborn_ca = keys_dir / "ca.pem.newborn"

    def prepare(self) -> None:
        """Make both directories, or refuse them when others can write there."""
        ensure_private_directory(self.team_dir)
        ensure_private_directory(self.keys_dir)

    def has_ca_key(self) -> bool:
        """Return whether a CA key is here, of whichever team."""
        return self.ca.exists() or self.newborn_ca.exists()

    def read_authority(self, path: Path) -> CertificateAuthority | None:
        """Return the CA kept in that file, or None when there is no file."""
        pem = read_private_file(path)
        if pem is None:
            return None
        try:
            return CertificateAuthority.from_pem(pem)
        except ValueError as error:
            raise IdentityCorrupt(
                f"{path} does not hold the team's CA",
                cause=(str(error).splitlines() or ["unreadable"])[0],
                hint=f"restore {path} from a backup; or give the team up with "
                "`skilllite node leave` (the damaged file is kept)",
            ) from error

    def found(self, record: TeamRecord, authority: CertificateAuthority) -> None:
        """Bring a team into being: the key first, then the record that makes it count."""
        replace_private_file(self.newborn_ca, authority.to_pem())
        replace_private_file(self.record, encode_record(record))
        move_private_file(self.newborn_ca, self.ca)

    def authority_for(self, record: TeamRecord) -> CertificateAuthority | None:
        """Return the CA that the record speaks of, finishing an interrupted birth or join."""
        if record.origin is not Origin.BORN:
            self.drop_replaced_key(record)
            remove_private_file(self.newborn_ca)
            return None
        certificate = to_der(record.ca_pem)
        newborn = self.read_authority(self.newborn_ca)
        if newborn is not None and newborn.certificate_der == certificate:
            move_private_file(self.newborn_ca, self.ca)
            return newborn
        remove_private_file(self.newborn_ca)
        authority = self.read_authority(self.ca)
        if authority is not None and authority.certificate_der == certificate:
            return authority
        what = "is missing" if authority is None else "belongs to another team"
        raise IdentityCorrupt(
            f"this node made its team, but the team's CA key {self.ca} {what}",
            hint=f"restore {self.ca} from a backup; or give the team up with "
            "`skilllite node leave`",
        )

    def drop_replaced_key(self, record: TeamRecord) -> None:
        """Remove the CA key of the team of one given up for this team, and no other key."""
        try:
            authority = self.read_authority(self.ca)
        except IdentityCorrupt:
            return
        if authority is not None and authority.team_id == record.replaced_team_id:
            remove_private_file(self.ca)

    def set_damaged_record_aside(self, when: str) -> None:
        """Keep a record that can't be read, under another name."""
        move_private_file(self.record, self.record.with_name(f"team.json.corrupt-{when}"))

    def finish_leaving(self, left: LeftRecord) -> None:
        """Remove what a team left behind. May be interrupted and repeated at any point."""
        if left.archive_key_as and self.ca.exists():
            move_private_file(self.ca, self.keys_dir / left.archive_key_as)
        remove_private_file(self.ca)
        remove_private_file(self.newborn_ca)
        remove_private_file(self.record)


def settle(files: TeamFiles, identity: DeviceIdentity, now: datetime) -> Standing:
    """Return where this node stands; finish what was interrupted, found what is missing."""
    with as_identity_corrupt():
        record = read_record(files.record)
        if isinstance(record, LeftRecord):
            files.finish_leaving(record)
            record = None
        if record is None:
            remove_private_file(files.newborn_ca)
            return _found_or_recover(files, identity, now)
        try:
            authority = files.authority_for(record)
            standing = make_standing(identity, record, authority)
        except InvalidCertificate as error:
            raise IdentityCorrupt(
                f"{files.record} and {files.keys_dir} contradict each other",
                cause=f"{error.message}: {error.cause}" if error.cause else error.message,
                hint="restore both from the same backup; or give the team up with "
                "`skilllite node leave` and join again",
            ) from error
        if record.is_alone and authority is not None and not authority.is_valid_at(now):
            # Born while the clock was wrong (boards without a battery start in 1970). Nobody else
            # trusts this CA, so a new one costs nothing.
            return _found(files, identity, now)
        return standing


def make_standing(
    identity: DeviceIdentity, record: TeamRecord, authority: CertificateAuthority | None
) -> Standing:
    """Check that record, key and CA belong together; raises `InvalidCertificate` when not.

    Dates are not checked: a node with an expired leaf still starts, and says so.
    """
    leaf = check_leaf(record.leaf_pem, record.ca_pem)
    if certificate_facts(record.ca_pem).node_id != record.team_id:
        raise InvalidCertificate("the CA certificate is another team's")
    if leaf.node_id != identity.node_id:
        raise InvalidCertificate("the certificate of this node belongs to another device key")
    tls = TlsMaterial(
        node_id=identity.node_id,
        team_id=record.team_id,
        private_key_pem=identity.private_key_pem,
        leaf_pem=record.leaf_pem,
        ca_pem=record.ca_pem,
    )
    return Standing(record, authority, leaf, tls)


@contextmanager
def as_identity_corrupt() -> Iterator[None]:
    """Report a private file that can't be used in the swarm's own terms."""
    try:
        yield
    except KeyUnusable as error:
        raise IdentityCorrupt(error.message, hint=error.hint, cause=error.cause) from error


def _found_or_recover(files: TeamFiles, identity: DeviceIdentity, now: datetime) -> Standing:
    authority = files.read_authority(files.ca)
    if authority is None:
        return _found(files, identity, now)
    # `team.json` was lost, the CA was not: the team lives on under the same id. Who joined it is
    # lost, so this node must never again take itself for alone.
    try:
        standing = _first_standing(identity, authority, now, complete=False)
    except InvalidCertificate as error:
        raise IdentityCorrupt(
            f"{files.record} is lost and the CA in {files.ca} can't replace it",
            cause=error.message,
            hint=error.hint,
        ) from error
    replace_private_file(files.record, encode_record(standing.record))
    return standing


def _found(files: TeamFiles, identity: DeviceIdentity, now: datetime) -> Standing:
    authority = make_authority(now)
    standing = _first_standing(identity, authority, now, complete=True)
    files.found(standing.record, authority)
    return standing


def _first_standing(
    identity: DeviceIdentity, authority: CertificateAuthority, now: datetime, *, complete: bool
) -> Standing:
    record = TeamRecord(
        team_id=authority.team_id,
        origin=Origin.BORN,
        ca_pem=to_pem(authority.certificate_der),
        leaf_pem=to_pem(authority.issue(identity.csr_der(), now)),
        complete=complete,
    )
    return make_standing(identity, record, authority)
