"""Private keys at rest: encrypted under a key that is derived from the service's secret key.

A copy of the database alone does not open them. When the secret key changes, the old one has to
stay in `SECRET_KEY_FALLBACKS`; without it a private key is lost, and reads as if it were not kept.
"""

import logging

from cryptography.fernet import InvalidToken

from cloudjobs.sealing import sealer

logger = logging.getLogger(__name__)

PURPOSE = b"cloudjobs private keys"


def seal(text: str) -> str:
    return sealer(PURPOSE).encrypt(text.encode()).decode()


def unseal(sealed: str) -> str | None:
    """Return the text, or None if the secret key under which it was sealed is not known."""
    try:
        return sealer(PURPOSE).decrypt(sealed.encode()).decode()
    except InvalidToken:
        logger.error("a private key cannot be opened: was the secret key changed?")
        return None
