"""Private keys at rest: encrypted under a key that is derived from the service's secret key.

A copy of the database alone does not open them. When the secret key changes, the old one has to
stay in `SECRET_KEY_FALLBACKS`; without it a private key is lost, and reads as if it were not kept.
"""

import base64
import logging

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

logger = logging.getLogger(__name__)

PURPOSE = b"cloudjobs private keys"


def seal(text: str) -> str:
    return sealer().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str | None:
    """Return the text, or None if the secret key under which it was sealed is not known."""
    try:
        return sealer().decrypt(sealed.encode()).decode()
    except InvalidToken:
        logger.error("a private key cannot be opened: was the secret key changed?")
        return None


def sealer() -> MultiFernet:
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(derived_key(str(secret))) for secret in secrets])


def derived_key(secret: str) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE)
    return base64.urlsafe_b64encode(derivation.derive(secret.encode()))
