"""API tokens: made, found and revoked.

A token is 256 random bits, so a fast keyed digest is enough to keep it by: there is nothing to
guess. Only the digest is stored; the token itself is seen once, by who makes it.
"""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import ApiToken, User
from cloudjobs.api.exceptions import Refused

PREFIX = "cj_"  # tells people, and those who search for leaked secrets, what it is
LONGEST = 255  # characters; no token that was made here is longer
USE_NOTED_EVERY = timedelta(minutes=1)
MOST_TOKENS = 100  # that a user may have at once


@transaction.atomic
def create_token(user: User, name: str, expires_at: datetime | None = None) -> tuple[ApiToken, str]:
    """Make a token and return it with its text, which nobody can tell later.

    Where there is no place for it, those that have expired make room.

    Raises:
        Refused: the user has as many as there may be.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # one at a time counts and makes
    if user.api_tokens.count() >= MOST_TOKENS:
        user.api_tokens.exclude(unexpired(timezone.now())).delete()
    if user.api_tokens.count() >= MOST_TOKENS:
        raise Refused(f"There are {MOST_TOKENS} tokens already; revoke some.")
    text = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user, name=name, digest=digest_of(text), expires_at=expires_at
    )
    return token, text


def find_token(text: str) -> ApiToken | None:
    """Return the token with this text, if it and its user may still be used; note that it was."""
    if len(text) > LONGEST:
        return None
    now = timezone.now()
    valid = ApiToken.objects.filter(unexpired(now), digest=digest_of(text), user__is_active=True)
    token = valid.select_related("user").first()
    if token and (token.used_at is None or now - token.used_at >= USE_NOTED_EVERY):
        ApiToken.objects.filter(pk=token.pk).update(used_at=now)
    return token


def unexpired(now: datetime) -> Q:
    """Return the condition that a token may still be used at this time."""
    return Q(expires_at=None) | Q(expires_at__gt=now)


def revoke_token(uuid: UUID, user: User) -> bool:
    """Delete a token of the user; False if there is none."""
    deleted, _ = ApiToken.objects.filter(pk=uuid, user=user).delete()
    return bool(deleted)


def digest_of(text: str) -> str:
    return salted_hmac(__name__, text, algorithm="sha256").hexdigest()
