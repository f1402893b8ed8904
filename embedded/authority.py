"""A certificate authority of one data directory, for trying on phones what only works over https.

It may sign for private addresses only: a phone that trusts it, and a key that is lost, endanger no site of the world.
The authority stays from run to run, so that a phone is told once; the certificate of the address is made anew each time.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from embedded import process
from embedded.errors import EmbeddedError

# Addresses of networks that belong to whoever stands in them.
PRIVATE = tuple(
    ipaddress.IPv4Network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8")
)  # fmt: skip
_NAMES = ("localhost", "local")  # or a name of the world would be free to it
_CA_DAYS = 730
_LEAF_DAYS = 90  # phones refuse more than 398
_EARLY = timedelta(days=1)  # a phone's clock may be behind
_KEY_FILE, _CA_FILE = "authority_key.pem", "authority.pem"


@dataclass(frozen=True, slots=True)
class Served:
    """What a server needs, and what a phone has to trust."""

    certificate: Path
    key: Path
    authority: Path
    authority_der: bytes
    fingerprint: str  # SHA-256, as phones show it
    is_new: bool  # the phones have to be told


def is_private(address: str) -> bool:
    """Whether the authority may sign for it."""
    try:
        found = ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return any(found in network for network in PRIVATE)


def certify(directory: Path, address: str, now: datetime) -> Served:
    """A certificate for the address, signed by the directory's authority. Raises EmbeddedError."""
    if not is_private(address):
        raise EmbeddedError(f"{address} is no private IPv4 address: the demo is for one's own network")
    process.make_directory(directory)
    kept = _kept(directory, now)
    key, authority = kept or _make(directory, now)
    leaf_key = ec.generate_private_key(ec.SECP256R1())
    leaf = _leaf(authority, key, leaf_key.public_key(), address, now)
    process.write_private(directory / "server_key.pem", _pem(leaf_key))
    process.write_private(directory / "server.pem", _text(leaf) + _text(authority))
    digest = authority.fingerprint(hashes.SHA256()).hex(":").upper()
    der = authority.public_bytes(serialization.Encoding.DER)
    return Served(
        directory / "server.pem", directory / "server_key.pem", directory / _CA_FILE, der, digest, is_new=kept is None
    )


def _kept(directory: Path, now: datetime) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None:
    """The authority of an earlier run; None where there is none that lasts, or it is damaged."""
    try:
        key = serialization.load_pem_private_key((directory / _KEY_FILE).read_bytes(), password=None)
        authority = x509.load_pem_x509_certificate((directory / _CA_FILE).read_bytes())
    except (OSError, ValueError, TypeError):  # the last for a key with a pass phrase
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != authority.public_key():
        return None
    outlives = authority.not_valid_after_utc > now + timedelta(days=_LEAF_DAYS)  # what it is about to sign
    return (key, authority) if outlives else None


def _make(directory: Path, now: datetime) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Taizhang demo {now:%Y-%m-%d %H:%M}")])
    bounds = [*(x509.IPAddress(each) for each in PRIVATE), *(x509.DNSName(each) for each in _NAMES)]
    authority = (
        _begun(name, name, key.public_key(), now, _CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(bounds, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    process.write_private(directory / _KEY_FILE, _pem(key))
    process.write_private(directory / _CA_FILE, _text(authority))
    return key, authority


def _leaf(
    authority: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    public: ec.EllipticCurvePublicKey,
    address: str,
    now: datetime,
) -> x509.Certificate:
    # Not the address: a common name that looks like a host's is held against the bounds for names.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Taizhang demo server")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.IPv4Address(address))])
    return (
        _begun(name, authority.subject, public, now, _LEAF_DAYS)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _begun(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLY)
        .not_valid_after(now + timedelta(days=days))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _text(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
