"""A certificate for 127.0.0.1, signed by an authority that only the tests trust."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

AUTHORITY = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority for tests")])
SERVICE = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])


@dataclass(frozen=True)
class Certificate:
    """Files in PEM: the service's certificate and key, and the authority that clients trust."""

    certificate: Path
    key: Path
    authority: Path

    @property
    def variables(self) -> dict[str, str]:
        """What makes the web server speak TLS, as docs/configuration.md has it."""
        return {
            "GRANIAN_SSL_CERTIFICATE": str(self.certificate),
            "GRANIAN_SSL_KEYFILE": str(self.key),
        }


def make_certificate(folder: Path) -> Certificate:
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = signed(AUTHORITY, authority_key, authority_key, is_authority=True)
    service = signed(SERVICE, key, authority_key, is_authority=False)
    made = Certificate(folder / "service.pem", folder / "service.key", folder / "authority.pem")
    made.certificate.write_bytes(service.public_bytes(serialization.Encoding.PEM))
    made.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made


def signed(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    authority_key: ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool,
) -> x509.Certificate:
    """Return a certificate for a day, with all that strict clients look for."""
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(AUTHORITY)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )
    for extension, critical in extensions(key, authority_key, is_authority=is_authority):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(authority_key, hashes.SHA256())


def extensions(
    key: ec.EllipticCurvePrivateKey,
    authority_key: ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool,
) -> Iterator[tuple[x509.ExtensionType, bool]]:
    """Yield extensions, and whether a client that does not know one must refuse."""
    yield x509.BasicConstraints(ca=is_authority, path_length=None), True
    yield key_usage(key_cert_sign=is_authority, digital_signature=not is_authority), True
    yield x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False
    authority = authority_key.public_key()
    yield x509.AuthorityKeyIdentifier.from_issuer_public_key(authority), False
    if not is_authority:
        names = [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("localhost")]
        yield x509.SubjectAlternativeName(names), False


def key_usage(**allowed: bool) -> x509.KeyUsage:
    names = (
        "content_commitment",
        "crl_sign",
        "data_encipherment",
        "decipher_only",
        "digital_signature",
        "encipher_only",
        "key_agreement",
        "key_cert_sign",
        "key_encipherment",
    )
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in names})
