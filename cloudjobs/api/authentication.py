"""HTTP Basic that hashes a password once, not on every request.

A password hash is slow on purpose: a third of a second of CPU. A password that was right is
therefore remembered for some minutes under a keyed digest that includes the stored hash. The
user's row is read on every request, so a changed password or a closed account is refused at once.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac
from rest_framework.authentication import BasicAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from cloudjobs.api.throttling import AnyRequest, count_failed_login, require_patience
from cloudjobs.origins import is_own_origin
from cloudjobs.prepared import Hole, prepared_get


class RememberedBasicAuthentication(BasicAuthentication):
    """Email and password in the `Authorization` header."""

    www_authenticate_realm = "cloudjobs"

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        """Return the user, if the header names one.

        A browser that has asked for the password once sends it along with whatever any page makes
        it send. So nothing is changed for the pages of others.

        Raises:
            AuthenticationFailed, Throttled: as `check_credentials`.
            PermissionDenied: a page of another site asks to change something.
        """
        login: tuple[Any, None] | None = super().authenticate(request)
        if login and request.method not in SAFE_METHODS and is_of_another_site(request):
            raise PermissionDenied("Pages of other sites change nothing here.")
        return login

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge; who came with a token is told that it is the token."""
        if get_authorization_header(request).lower().startswith(b"bearer"):
            return f'Bearer realm="{self.www_authenticate_realm}", error="invalid_token"'
        return f'Basic realm="{self.www_authenticate_realm}"'

    def authenticate_credentials(
        self, userid: str, password: str, request: AnyRequest | None = None
    ) -> tuple[Any, None]:
        """Return the user.

        Raises:
            AuthenticationFailed: unknown email, wrong password or inactive account.
            Throttled: too many were wrong.
        """
        return check_credentials(userid, password, request), None


def is_of_another_site(request: Request) -> bool:
    """Was it sent by a page that is not ours? Programs that are no browsers name no origin."""
    origin = request.headers.get("Origin")
    return origin is not None and not is_own_origin(origin, request.get_host())


def check_credentials(email: str, password: str, request: AnyRequest | None = None) -> Any:
    """Return the active user whose email and password these are.

    Raises:
        AuthenticationFailed: which of the two is wrong is not told.
        Throttled: too many were wrong, so this one is not even hashed.
    """
    user = None if "\x00" in email else find_user(email)
    if user is not None and is_remembered(user, password):
        right = True
    else:
        require_patience(email, request)
        right = is_right_password(user, password)
    if user is not None and right and user.is_active:
        return user
    count_failed_login(email, request)
    raise AuthenticationFailed("Wrong email or password.")


def find_user(email: str) -> Any:
    """Return the user with this email, or None."""
    return user_with_email(get_user_model(), email=email.lower())


@prepared_get
def user_with_email(users: Any) -> QuerySet:
    return users.filter(email=Hole("email"))


def is_right_password(user: AbstractBaseUser | None, password: str) -> bool:
    """Is this the user's password? Remembers a yes, never a no."""
    if user is None:
        make_password(password)  # takes as long as a check, so that timing tells no email
        return False
    right = user.check_password(password)
    if right:
        cache.set(memory_key(user, password), 1, settings.BASIC_PASSWORD_REMEMBERED_SECONDS)
    return right


def is_remembered(user: AbstractBaseUser, password: str) -> bool:
    """Was this password right a short time ago?"""
    return bool(cache.get(memory_key(user, password)))


def memory_key(user: AbstractBaseUser, password: str) -> str:
    """Return the key under which the cache remembers a password."""
    digest = salted_hmac(__name__, f"{user.password}\n{password}", algorithm="sha256").hexdigest()
    return f"basic-{user.pk}-{digest}"
