"""Logins of event sockets: what the cookie `async_auth` holds, and how long it holds good.

Whoever asks for the cookie is logged in by a password, a session or a token. The cookie says by
which, sealed, so that it opens no more than events; and it is good for as long as that is.
"""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Any

from cryptography.fernet import InvalidToken
from django.contrib.sessions.models import Session
from django.utils import timezone
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request

from accounts.models import ApiToken, User
from accounts.tokens import unexpired
from cloudjobs.sealing import sealer

COOKIE = "async_auth"
COOKIE_PATH = "/websocket"
COOKIE_SECONDS = 3600  # in which a socket can be opened with it
LONGEST_COOKIE = 2048  # characters
PURPOSE = b"cloudjobs event logins"


@dataclass(frozen=True)
class EventLogin:
    """Who listens, under which password, and by which session or token if by one of these."""

    user: str
    password: str  # a digest of its hash, as Django keeps it in sessions
    session: str = ""
    token: str = ""


def login_of(request: Request) -> EventLogin:
    """Return how the user who asks is logged in."""
    user: Any = request.user
    login = EventLogin(str(user.pk), user.get_session_auth_hash())
    if isinstance(request.auth, ApiToken):
        return replace(login, token=str(request.auth.pk))
    if isinstance(request.successful_authenticator, SessionAuthentication):
        return replace(login, session=request._request.session.session_key or "")
    return login


def seal_login(login: EventLogin) -> str:
    """Return the value of the cookie; padding is left out, as cookies would quote it."""
    return sealer(PURPOSE).encrypt(json.dumps(asdict(login)).encode()).decode().rstrip("=")


def open_login(cookie: str) -> EventLogin | None:
    """Return the login in a cookie, or None if it is none of ours or too old."""
    if len(cookie) > LONGEST_COOKIE or not cookie.isascii():
        return None
    padded = cookie + "=" * (-len(cookie) % 4)
    try:
        return EventLogin(**json.loads(sealer(PURPOSE).decrypt(padded, ttl=COOKIE_SECONDS)))
    except (InvalidToken, TypeError):  # the latter: one of a version that kept other things
        return None


def lasting(logins: Collection[EventLogin]) -> set[EventLogin]:
    """Return those of the logins that still hold good: at most three queries.

    The user is active and has the same password, the session has neither ended nor expired, the
    token was not revoked and has not expired.
    """
    now = timezone.now()
    passwords = passwords_of({login.user for login in logins})
    keys = {login.session for login in logins if login.session}
    sessions = Session.objects.filter(session_key__in=keys, expire_date__gt=now)
    uuids = {login.token for login in logins if login.token}
    tokens = ApiToken.objects.filter(unexpired(now), pk__in=uuids)
    good_sessions = {"", *sessions.values_list("pk", flat=True)}
    good_tokens = {"", *map(str, tokens.values_list("pk", flat=True))}
    return {
        login
        for login in logins
        if passwords.get(login.user) == login.password
        and login.session in good_sessions
        and login.token in good_tokens
    }


def passwords_of(users: set[str]) -> dict[str, str]:
    """Return the digests of the passwords of those users who are active."""
    active = User.objects.filter(pk__in=users, is_active=True)
    return {str(user.pk): user.get_session_auth_hash() for user in active}
