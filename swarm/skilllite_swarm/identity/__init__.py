"""Who a node is, and how it proves that: keys, certificates and sealed messages.

The only part of the swarm that imports `cryptography`. Which team a node belongs to is decided
above, in `team`; how it gets there in `pairing`.
"""

from __future__ import annotations

from skilllite_swarm.identity.certificates import (
    CertificateAuthority,
    CertificateFacts,
    certificate_facts,
    check_leaf,
    is_device_key,
    make_authority,
    node_id_of_certificate,
    node_id_of_request,
    public_key_der_of_certificate,
    to_der,
    to_pem,
    verify_signing_key,
)
from skilllite_swarm.identity.keys import (
    DeviceIdentity,
    load_or_create_identity,
    node_id_of_public_key,
    verify_signature,
)
from skilllite_swarm.identity.sealing import derive_key, open_sealed, seal

__all__ = [
    "CertificateAuthority",
    "CertificateFacts",
    "DeviceIdentity",
    "certificate_facts",
    "check_leaf",
    "derive_key",
    "is_device_key",
    "load_or_create_identity",
    "make_authority",
    "node_id_of_certificate",
    "node_id_of_public_key",
    "node_id_of_request",
    "open_sealed",
    "public_key_der_of_certificate",
    "seal",
    "to_der",
    "to_pem",
    "verify_signature",
    "verify_signing_key",
]
