"""SSH keys: making them, and reading those that a user gives."""

from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import MD5
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from cloudjobs.api.exceptions import Invalid

RSA, ED25519 = "rsa", "ed25519"
ALGORITHMS = (RSA, ED25519)
RSA_BITS = 3072
PRIVATE_TYPES = (RSAPrivateKey, Ed25519PrivateKey, EllipticCurvePrivateKey)
PUBLIC_TYPES = (RSAPublicKey, Ed25519PublicKey, EllipticCurvePublicKey)
UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm)


@dataclass(frozen=True)
class Keys:
    """A public key as in an authorized_keys file, and the private key as PEM, if there is one."""

    public: str
    private: str = field(default="", repr=False)


def generate(algorithm: str) -> Keys:
    """Return a new pair; making one for RSA takes a good part of a second."""
    if algorithm == ED25519:
        return written(Ed25519PrivateKey.generate(), PrivateFormat.OpenSSH)
    private = generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    return written(private, PrivateFormat.TraditionalOpenSSL)


def written(private: Any, form: PrivateFormat) -> Keys:
    text = private.private_bytes(Encoding.PEM, form, NoEncryption()).decode()
    return Keys(public_text(private.public_key()), text)


def read(public: str, private: str) -> Keys:
    """Return the keys that are given, either or both of them, checked.

    Raises:
        Invalid: one of them cannot be read, or they do not belong together.
    """
    if not private:
        read_public(public)
        return Keys(public.strip())
    own = public_text(read_private(private).public_key())
    if public and public_text(read_public(public)) != own:
        raise Invalid("This is not the public half of the private key.", "public_key")
    return Keys(public.strip() or own, private)


def read_public(text: str) -> Any:
    """Return the key of one line of an authorized_keys file, which has no options before it.

    Raises:
        Invalid: it is none, or of a kind that is not taken.
    """
    line = text.strip()
    try:
        key = serialization.load_ssh_public_key(line.encode()) if line.isprintable() else None
    except UNREADABLE:
        key = None
    if not isinstance(key, PUBLIC_TYPES):
        raise Invalid("An RSA, Ed25519 or ECDSA key in OpenSSH's form is needed.", "public_key")
    return key


def read_private(text: str) -> Any:
    """Return a private key that has no passphrase.

    Raises:
        Invalid: it is none, or of a kind that is not taken.
    """
    is_openssh = "BEGIN OPENSSH" in text
    load: Any = serialization.load_pem_private_key
    load = serialization.load_ssh_private_key if is_openssh else load
    try:
        key = load(text.encode(), None)
    except UNREADABLE:
        key = None
    if not isinstance(key, PRIVATE_TYPES):
        message = "An RSA, Ed25519 or ECDSA key as PEM, without a passphrase, is needed."
        raise Invalid(message, "private_key")
    return key


def public_text(key: Any) -> str:
    text: bytes = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return text.decode()


def fingerprint(public: str) -> str:
    """Return the MD5 of a public key, as `ssh-keygen -l -E md5` writes it; nothing rests on it."""
    digest = serialization.ssh_key_fingerprint(read_public(public), MD5())  # noqa: S303
    return digest.hex(":")
