"""`Authorization: Bearer …`: API tokens in the place of email and password."""

from typing import Any

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.tokens import find_token


class BearerAuthentication(BaseAuthentication):
    """A token is looked up on every request, so one that was revoked is refused at once."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Return user and token, or None if the request carries no token.

        Raises:
            AuthenticationFailed: it is unknown, revoked or expired, or its user inactive.
        """
        scheme, _, text = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        token = find_token(text.strip().decode("latin-1"))
        if token is None:
            raise AuthenticationFailed("The token is not valid.")
        return token.user, token
