"""Certificates follow one profile; whatever deviates from it proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from skilllite_swarm.errors import InvalidCertificate
from skilllite_swarm.identity import (
    CertificateAuthority,
    DeviceIdentity,
    certificate_facts,
    check_leaf,
    is_device_key,
    load_or_create_identity,
    make_authority,
    node_id_of_certificate,
    node_id_of_request,
    public_key_der_of_certificate,
    to_der,
    to_pem,
    verify_signing_key,
)

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> DeviceIdentity:
    return load_or_create_identity(tmp_path_factory.mktemp("device") / "keys")


@pytest.fixture(scope="module")
def ca() -> CertificateAuthority:
    return make_authority(NOW)


@pytest.fixture(scope="module")
def leaf(identity: DeviceIdentity, ca: CertificateAuthority) -> bytes:
    return ca.issue(identity.csr_der(), NOW)


def test_a_leaf_names_node_and_team_by_their_keys(
    identity: DeviceIdentity, ca: CertificateAuthority, leaf: bytes
) -> None:
    names = (
        x509.load_der_x509_certificate(leaf)
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value
    )

    assert [str(name.value) for name in names] == [
        f"{identity.node_id}.node.skilllite",
        f"member.{ca.team_id}.skilllite",
        f"spiffe://{ca.team_id}/{identity.node_id}",
    ]
    facts = certificate_facts(leaf)
    assert (facts.node_id, facts.team_id, facts.issuer_team_id, facts.is_ca) == (
        identity.node_id,
        ca.team_id,
        ca.team_id,
        False,
    )
    assert public_key_der_of_certificate(leaf) == identity.device_key


def test_a_leaf_serves_both_ends_and_signs_nothing(leaf: bytes) -> None:
    extensions = x509.load_der_x509_certificate(leaf).extensions

    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert set(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == {
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CLIENT_AUTH,
    }
    assert usage.digital_signature
    assert not usage.key_cert_sign
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_a_ca_signs_members_and_no_other_ca(ca: CertificateAuthority) -> None:
    extensions = x509.load_der_x509_certificate(ca.certificate_der).extensions

    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
    facts = certificate_facts(ca.certificate_der)
    assert facts.is_ca
    assert facts.team_id == facts.node_id == ca.team_id
    assert facts.not_after - NOW > 3649 * DAY


def test_a_leaf_lives_thirty_days_and_tolerates_a_slow_clock(
    leaf: bytes, ca: CertificateAuthority
) -> None:
    facts = certificate_facts(leaf)

    assert facts.not_before == NOW.replace(microsecond=0) - DAY
    assert facts.not_after == NOW.replace(microsecond=0) + 30 * DAY
    assert check_leaf(leaf, ca.certificate_der, now=NOW - DAY / 2) == facts


def test_a_leaf_never_outlives_its_ca(identity: DeviceIdentity, ca: CertificateAuthority) -> None:
    end = certificate_facts(ca.certificate_der).not_after

    late = ca.issue(identity.csr_der(), end - 5 * DAY)

    assert certificate_facts(late).not_after == end
    with pytest.raises(InvalidCertificate, match="expired on 2036") as caught:
        ca.issue(identity.csr_der(), end + DAY)
    assert "clock" in str(caught.value.hint)


def test_serials_differ(identity: DeviceIdentity, ca: CertificateAuthority) -> None:
    serials = {
        x509.load_der_x509_certificate(ca.issue(identity.csr_der(), NOW)).serial_number
        for _ in range(5)
    }

    assert len(serials) == 5


@pytest.mark.parametrize(
    ("now", "said"), [(NOW - 3 * DAY, "not valid before"), (NOW + 31 * DAY, "expired on")]
)
def test_a_leaf_out_of_date_is_told_with_both_clocks(
    leaf: bytes, ca: CertificateAuthority, now: datetime, said: str
) -> None:
    with pytest.raises(InvalidCertificate, match=said) as caught:
        check_leaf(leaf, ca.certificate_der, now=now)
    assert f"{now:%Y-%m-%d %H:%M}" in caught.value.message


def test_an_authority_survives_its_file(ca: CertificateAuthority) -> None:
    again = CertificateAuthority.from_pem(ca.to_pem())

    assert (again.team_id, again.certificate_der) == (ca.team_id, ca.certificate_der)


def test_a_key_beside_another_cas_certificate_is_refused(ca: CertificateAuthority) -> None:
    other = make_authority(NOW)
    key = ca.to_pem().split(b"-----BEGIN CERTIFICATE")[0]

    with pytest.raises(ValueError, match="belong together"):
        CertificateAuthority.from_pem(key + to_pem(other.certificate_der))


def test_another_teams_leaf_is_refused(leaf: bytes) -> None:
    with pytest.raises(InvalidCertificate, match="not signed by this CA"):
        check_leaf(leaf, make_authority(NOW).certificate_der)


def test_a_ca_of_the_same_name_with_another_key_is_refused(
    leaf: bytes, ca: CertificateAuthority
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    real = x509.load_der_x509_certificate(ca.certificate_der)
    forged = forge_ca(key, real.subject)

    with pytest.raises(InvalidCertificate, match="not signed by this CA"):
        check_leaf(leaf, forged)


def test_a_leaf_can_not_pose_as_a_ca(leaf: bytes) -> None:
    with pytest.raises(InvalidCertificate, match="may not sign members"):
        check_leaf(leaf, leaf)


def test_a_request_must_prove_possession_of_its_key(identity: DeviceIdentity) -> None:
    request = bytearray(identity.csr_der())
    request[-1] ^= 1

    with pytest.raises(InvalidCertificate, match="possession"):
        make_authority(NOW).issue(bytes(request), NOW)


def test_the_names_in_a_request_are_ignored(ca: CertificateAuthority) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody-else")]))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("evil.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )

    leaf = ca.issue(request, NOW)

    assert check_leaf(leaf, ca.certificate_der).node_id == node_id_of_request(request)
    assert b"evil.example" not in leaf
    assert b"somebody-else" not in leaf


def request_by(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    algorithm = hashes.SHA256() if isinstance(key, ec.EllipticCurvePrivateKey) else None
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, algorithm).public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize(
    "make_key",
    [
        pytest.param(lambda: ec.generate_private_key(ec.SECP384R1()), id="P-384"),
        pytest.param(ed25519.Ed25519PrivateKey.generate, id="Ed25519"),
    ],
)
def test_only_p256_keys_become_members(
    make_key: Callable[[], ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey],
    ca: CertificateAuthority,
) -> None:
    key = make_key()
    spki = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )

    with pytest.raises(InvalidCertificate, match="P-256"):
        ca.issue(request_by(key), NOW)
    assert not is_device_key(spki)


def test_a_key_in_another_encoding_is_not_another_node(identity: DeviceIdentity) -> None:
    key = serialization.load_der_public_key(identity.device_key)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    pem = key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )

    assert is_device_key(identity.device_key)
    assert not is_device_key(pem)
    assert not is_device_key(identity.device_key + b"\0")


def test_a_certificate_serves_to_check_the_signing_key(
    identity: DeviceIdentity, leaf: bytes
) -> None:
    proof = identity.signing_key_proof

    assert verify_signing_key(leaf, identity.signing_key, proof)
    assert verify_signing_key(to_pem(leaf), identity.signing_key, proof)
    assert not verify_signing_key(make_authority(NOW).certificate_der, b"k" * 32, proof)


def test_pem_and_der_say_the_same(leaf: bytes) -> None:
    pem = to_pem(leaf)

    assert to_der(pem) == leaf
    assert certificate_facts(pem) == certificate_facts(leaf)


def test_a_foreign_certificate_is_described_without_being_believed() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "printer.local")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + DAY)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )

    facts = certificate_facts(certificate)

    assert (facts.team_id, facts.issuer_team_id) == ("", "printer.local")
    assert node_id_of_certificate(certificate) == facts.node_id


def forge_ca(key: ec.EllipticCurvePrivateKey, name: x509.Name, *, days: int = 100) -> bytes:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + days * DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(False, False, False, False, False, True, True, False, False),
            critical=True,
        )
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )


def forge_leaf(
    identity: DeviceIdentity,
    *,
    names: list[str],
    usages: list[x509.ObjectIdentifier],
    ca: bool = False,
) -> tuple[bytes, bytes]:
    """Return a leaf with these wishes, and the CA that really signed it."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a careless CA")])
    device = serialization.load_der_public_key(identity.device_key)
    assert isinstance(device, ec.EllipticCurvePublicKey)
    leaf = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(issuer)
        .public_key(device)
        .serial_number(2)
        .not_valid_before(NOW)
        .not_valid_after(NOW + DAY)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )
    return leaf, forge_ca(key, issuer)


BOTH_ENDS = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]


def test_a_leaf_with_a_name_that_is_not_its_keys_is_refused(identity: DeviceIdentity) -> None:
    leaf, ca = forge_leaf(identity, names=[f"{'a' * 52}.node.skilllite"], usages=BOTH_ENDS)

    with pytest.raises(InvalidCertificate, match="names do not go with its key"):
        check_leaf(leaf, ca)


def test_a_leaf_for_one_end_only_is_refused(identity: DeviceIdentity) -> None:
    leaf, ca = forge_leaf(identity, names=["x.example"], usages=BOTH_ENDS[:1])

    with pytest.raises(InvalidCertificate, match="both ends"):
        check_leaf(leaf, ca)


def test_a_leaf_that_outlives_its_ca_is_refused(leaf: bytes, ca: CertificateAuthority) -> None:
    name = x509.load_der_x509_certificate(ca.certificate_der).subject

    check_leaf(leaf, forge_ca(ca._key, name, days=30))
    with pytest.raises(InvalidCertificate, match="outlives"):
        check_leaf(leaf, forge_ca(ca._key, name, days=29))


def test_a_leaf_that_is_a_ca_is_refused(identity: DeviceIdentity) -> None:
    leaf, ca = forge_leaf(identity, names=["x.example"], usages=BOTH_ENDS, ca=True)

    with pytest.raises(InvalidCertificate, match="must not be a CA"):
        check_leaf(leaf, ca)


@given(st.binary(max_size=200))
def test_garbage_is_no_certificate_and_no_request(garbage: bytes) -> None:
    with pytest.raises(InvalidCertificate):
        certificate_facts(garbage)
    with pytest.raises(InvalidCertificate):
        node_id_of_request(garbage)
    assert not is_device_key(garbage)


@settings(max_examples=300)
@given(where=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_a_damaged_certificate_never_says_anything_new(
    leaf: bytes, ca: CertificateAuthority, where: int, flip: int
) -> None:
    damaged = bytearray(leaf)
    damaged[where % len(leaf)] ^= flip

    try:
        facts = check_leaf(bytes(damaged), ca.certificate_der)
    except InvalidCertificate:
        return
    # One byte of a certificate is covered by nothing: how many bits of the signature are unused.
    signed = x509.load_der_x509_certificate(bytes(damaged)).tbs_certificate_bytes
    assert signed == x509.load_der_x509_certificate(leaf).tbs_certificate_bytes
    assert facts == certificate_facts(leaf)


def test_an_oversized_certificate_is_not_parsed(leaf: bytes) -> None:
    with pytest.raises(InvalidCertificate, match="more than 8192 bytes"):
        certificate_facts(leaf + b"\0" * 8192)


def test_a_file_with_a_key_alone_is_no_authority(tmp_path: Path, ca: CertificateAuthority) -> None:
    key = ca.to_pem().split(b"-----BEGIN CERTIFICATE")[0]

    with pytest.raises(ValueError, match="certificate"):
        CertificateAuthority.from_pem(key)
