"""The team's certificates: one authority, one leaf a member, one profile for each.

A leaf names its node by the hash of its key and its team by the hash of the authority's key; the
names are computed from the keys here and never taken from a request. `check_leaf` accepts exactly
what `CertificateAuthority.issue` makes and nothing laxer. Time is an argument throughout.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from skilllite_swarm.errors import InvalidCertificate
from skilllite_swarm.identity.keys import (
    SIGNING_KEY_LABEL,
    encode_public_key,
    load_private_p256,
    node_id_of_public_key,
)

LEAF_LIFETIME: Final = timedelta(days=30)
"""Long enough for a laptop on holiday, short enough that a forgotten one falls out by itself."""

CA_LIFETIME: Final = timedelta(days=3650)
BACKDATE: Final = timedelta(hours=24)
"""Tolerates members whose clocks run up to a day behind."""

CERTIFICATE_BYTES_MAX: Final = 8 * 1024
"""A leaf has about 800 bytes in DER, 1,100 in PEM."""

PUBLIC_KEY_BYTES_MAX: Final = 512
"""DER; a P-256 key has 91."""

_MEMBER_NAME: Final = re.compile(r"member\.([a-z2-7]{52})\.skilllite\Z")
_LEAF_USAGES: Final = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a certificate says. Believe it after `check_leaf`; before, it serves diagnosis only."""

    node_id: str
    """Hash of the certificate's own key."""
    team_id: str
    """The team it claims; empty when it is not a certificate of ours."""
    not_before: datetime
    not_after: datetime
    issuer_team_id: str
    """Common name of the issuer: unproven."""
    is_ca: bool

    def clock_problem(self, now: datetime) -> str | None:
        """Say in a clause why this certificate is not valid at `now`, if so."""
        if now < self.not_before:
            return f"not valid before {self.not_before:%Y-%m-%d %H:%M} UTC"
        if now > self.not_after:
            return f"expired on {self.not_after:%Y-%m-%d %H:%M} UTC"
        return None


class CertificateAuthority:
    """The key that makes members of one team."""

    __slots__ = ("_certificate", "_key", "certificate_der", "team_id")

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self._certificate = certificate
        self.certificate_der: Final = certificate.public_bytes(serialization.Encoding.DER)
        self.team_id: Final = node_id_of_public_key(encode_public_key(key.public_key()))

    @classmethod
    def from_pem(cls, pem: bytes) -> CertificateAuthority:
        """Read what `to_pem` wrote; raises ValueError when it is damaged or contradicts itself."""
        key = load_private_p256(pem)
        try:
            certificate = _load(pem)
            _check_authority(certificate)
        except InvalidCertificate as error:
            raise ValueError(error.message) from error
        if encode_public_key(key.public_key()) != encode_public_key(_p256(certificate)):
            raise ValueError("the key and the certificate do not belong together")
        return cls(key, certificate)

    def to_pem(self) -> bytes:
        """Return key and certificate in one: neither is of use without the other."""
        private = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return private + to_pem(self.certificate_der)

    def is_valid_at(self, now: datetime) -> bool:
        """Return whether a certificate issued now would be accepted."""
        return _facts(self._certificate).clock_problem(now) is None

    def issue(self, csr_der: bytes, now: datetime) -> bytes:
        """Return a leaf (DER) for the key that signed the request.

        Whether that key *should* become a member is the caller's decision. Subject and extensions
        of the request are ignored: they are wishes.
        """
        problem = _facts(self._certificate).clock_problem(now)
        if problem is not None:
            raise InvalidCertificate(
                f"the team's CA can't issue certificates: it is {problem}",
                hint="check this machine's clock (`timedatectl`); if it is right, the team has to "
                "be made anew: `skilllite node leave`, then start, invite and join again",
            )
        key = _load_request(csr_der)
        node_id = node_id_of_public_key(encode_public_key(key))
        now = now.astimezone(UTC).replace(microsecond=0)
        not_after = min(now + LEAF_LIFETIME, self._certificate.not_valid_after_utc)
        builder = (
            x509.CertificateBuilder()
            .serial_number(x509.random_serial_number())
            .issuer_name(self._certificate.subject)
            .subject_name(_name(node_id))
            .public_key(key)
            .not_valid_before(now - BACKDATE)
            .not_valid_after(not_after)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(ca=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(_LEAF_USAGES), critical=False)
            .add_extension(_alternative_names(node_id, self.team_id), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def make_authority(now: datetime) -> CertificateAuthority:
    """Make a new team's CA. It can sign members and nothing else (path length 0)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(node_id_of_public_key(encode_public_key(key.public_key())))
    now = now.astimezone(UTC).replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .issuer_name(name)
        .subject_name(name)
        .public_key(key.public_key())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return CertificateAuthority(key, builder.sign(key, hashes.SHA256()))


def certificate_facts(certificate: bytes) -> CertificateFacts:
    """Return what a certificate (PEM or DER) says, whoever made it."""
    return _facts(_load(certificate))


def node_id_of_certificate(certificate: bytes) -> str:
    """Return the node id that goes with the certificate's key, whatever its names claim."""
    return certificate_facts(certificate).node_id


def public_key_of_certificate(certificate: bytes) -> ec.EllipticCurvePublicKey:
    """Return the certificate's key, which must be P-256."""
    return _p256(_load(certificate))


def public_key_der_of_certificate(certificate: bytes) -> bytes:
    """Return the certificate's P-256 key in the encoding that node ids are made of."""
    return encode_public_key(public_key_of_certificate(certificate))


def is_device_key(public_key: bytes) -> bool:
    """Return whether this is a P-256 public key in the one encoding we use."""
    if len(public_key) > PUBLIC_KEY_BYTES_MAX or b"-----BEGIN" in public_key:
        return False
    try:
        return encode_public_key(_load_key(public_key)) == public_key
    except InvalidCertificate:
        return False


def node_id_of_request(csr_der: bytes) -> str:
    """Return the node id of the key that signed the request."""
    return node_id_of_public_key(encode_public_key(_load_request(csr_der)))


def verify_signing_key(device_key_or_certificate: bytes, signing_key: bytes, proof: bytes) -> bool:
    """Return whether the device vouches for this signing key.

    Takes the device's public key (DER) or its certificate (PEM or DER). Says nothing about whose
    device it is: compare its node id with the one that the connection proved.
    """
    try:
        device = _load_key(device_key_or_certificate)
        device.verify(proof, SIGNING_KEY_LABEL + signing_key, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, InvalidCertificate):
        return False
    return True


def check_leaf(leaf: bytes, ca: bytes, *, now: datetime | None = None) -> CertificateFacts:
    """Return the facts of a leaf that this CA issued to the holder of the leaf's key.

    With `now`, both must be valid at that time.

    Raises:
        InvalidCertificate: Says which part of the profile is not met.
    """
    authority, certificate = _load(ca), _load(leaf)
    _check_authority(authority)
    _check_issued_by(certificate, authority)
    facts, ca_facts = _facts(certificate), _facts(authority)
    _p256(certificate)
    with _parsing("certificate"):
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    if constraints.ca:
        raise InvalidCertificate("a member's certificate must not be a CA certificate")
    if set(usages) != set(_LEAF_USAGES):
        raise InvalidCertificate("the certificate does not serve both ends of a connection")
    if names != _alternative_names(facts.node_id, ca_facts.team_id):
        raise InvalidCertificate("the certificate's names do not go with its key and its CA")
    if facts.not_after > ca_facts.not_after:
        raise InvalidCertificate("the certificate outlives its CA")
    if now is not None:
        for kind, checked in (("certificate", facts), ("CA certificate", ca_facts)):
            problem = checked.clock_problem(now)
            if problem is not None:
                raise InvalidCertificate(
                    f"the {kind} is {problem}, and this machine's clock says "
                    f"{now.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
                    hint="set the clock that is wrong (`timedatectl`), then try again",
                )
    return facts


def to_der(certificate: bytes) -> bytes:
    """Return the certificate as DER."""
    return _load(certificate).public_bytes(serialization.Encoding.DER)


def to_pem(certificate: bytes) -> bytes:
    """Return the certificate as PEM."""
    return _load(certificate).public_bytes(serialization.Encoding.PEM)


@contextmanager
def _parsing(what: str) -> Iterator[None]:
    """Turn the many ways in which X.509 can be wrong into one."""
    try:
        yield
    except (
        ValueError,
        TypeError,
        UnsupportedAlgorithm,
        x509.InvalidVersion,
        x509.DuplicateExtension,
        x509.ExtensionNotFound,
        x509.UnsupportedGeneralNameType,
        CryptographyDeprecationWarning,  # only where warnings are errors
    ) as error:
        cause = (str(error).splitlines() or [type(error).__name__])[0]
        raise InvalidCertificate(f"not a usable {what}", cause=cause) from error


def _load(certificate: bytes) -> x509.Certificate:
    if len(certificate) > CERTIFICATE_BYTES_MAX:
        raise InvalidCertificate(f"a certificate of more than {CERTIFICATE_BYTES_MAX} bytes")
    with _parsing("certificate"):
        if b"-----BEGIN" in certificate:
            return x509.load_pem_x509_certificate(certificate)
        return x509.load_der_x509_certificate(certificate)


def _load_key(encoded: bytes) -> ec.EllipticCurvePublicKey:
    if b"-----BEGIN" in encoded or len(encoded) > PUBLIC_KEY_BYTES_MAX:
        return public_key_of_certificate(encoded)
    with _parsing("public key"):
        key = serialization.load_der_public_key(encoded)
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise InvalidCertificate("a device key must be a P-256 key")
    return key


def _load_request(csr_der: bytes) -> ec.EllipticCurvePublicKey:
    if len(csr_der) > CERTIFICATE_BYTES_MAX:
        raise InvalidCertificate(f"a request of more than {CERTIFICATE_BYTES_MAX} bytes")
    with _parsing("certificate request"):
        request = x509.load_der_x509_csr(csr_der)
        key = request.public_key()
        proven = request.is_signature_valid
    if not proven:
        raise InvalidCertificate("the certificate request does not prove possession of its key")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise InvalidCertificate("a member's key must be a P-256 key")
    return key


def _p256(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    with _parsing("certificate"):
        key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise InvalidCertificate("the certificate's key is not a P-256 key")
    return key


def _facts(certificate: x509.Certificate) -> CertificateFacts:
    with _parsing("certificate"):
        # Encoded anew: the same key in another encoding must not become another node.
        key = certificate.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        node_id = node_id_of_public_key(key)
        issuers = certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
        is_ca, team_id = False, ""
        for extension in certificate.extensions:
            if isinstance(extension.value, x509.BasicConstraints):
                is_ca = extension.value.ca
            elif isinstance(extension.value, x509.SubjectAlternativeName):
                for name in extension.value.get_values_for_type(x509.DNSName):
                    if match := _MEMBER_NAME.match(name):
                        team_id = match[1]
        return CertificateFacts(
            node_id=node_id,
            team_id=node_id if is_ca else team_id,
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            issuer_team_id=str(issuers[0].value) if issuers else "",
            is_ca=is_ca,
        )


def _check_authority(certificate: x509.Certificate) -> None:
    _p256(certificate)
    with _parsing("CA certificate"):
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    if not constraints.ca or constraints.path_length != 0 or not usage.key_cert_sign:
        raise InvalidCertificate("the CA certificate may not sign members")
    _check_issued_by(certificate, certificate)


def _check_issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> None:
    try:
        with _parsing("certificate"):
            certificate.verify_directly_issued_by(authority)
    except (InvalidCertificate, InvalidSignature) as error:
        raise InvalidCertificate("the certificate was not signed by this CA") from error


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "SkillLite"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _alternative_names(node_id: str, team_id: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName(
        [
            x509.DNSName(f"{node_id}.node.skilllite"),
            x509.DNSName(f"member.{team_id}.skilllite"),
            x509.UniformResourceIdentifier(f"spiffe://{team_id}/{node_id}"),
        ]
    )


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
