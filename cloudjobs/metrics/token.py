"""Who may read figures without a login: whoever has `METRICS_TOKEN`."""

import hmac

from django.conf import settings


def has_token(authorization: str) -> bool:
    """Does this header have the token? In constant time: nobody learns it letter by letter."""
    scheme, _, given = authorization.partition(" ")
    wanted: str = settings.METRICS_TOKEN
    if not wanted or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.strip().encode(), wanted.encode())
