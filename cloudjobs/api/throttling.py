"""How much a user may ask, and how often anybody may guess a password."""

import hashlib
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from cloudjobs.api.counting import Window

MINUTE = 60


class RequestThrottle(BaseThrottle):
    """Lets so many requests of a user pass in each minute of the clock; 0 means any number."""

    setting: ClassVar[str] = "REQUESTS_PER_MINUTE"

    def allow_request(self, request: Request, view: Any) -> bool:
        limit: int = getattr(settings, self.setting)
        if not limit or not self.counts(request):
            return True
        return self.window(request).count() <= limit

    def counts(self, request: Request) -> bool:
        """Is it a request to be counted? Those without a login are refused anyway."""
        return request.user.is_authenticated

    def window(self, request: Request) -> Window:
        return Window(f"{self.setting}-{request.user.pk}", MINUTE)

    def wait(self) -> float:
        return Window(self.setting, MINUTE).seconds_left


class DeleteThrottle(RequestThrottle):
    """The same for DELETE alone."""

    setting = "DELETES_PER_MINUTE"

    def counts(self, request: Request) -> bool:
        return request.method == "DELETE" and super().counts(request)


def failed_logins(email: str, request: Any) -> Window:
    """Return the counter of wrong passwords for this email from the address of the request."""
    address = BaseThrottle().get_ident(request) if request is not None else ""
    who = hashlib.sha256(f"{email.lower()}\n{address}".encode(errors="replace")).hexdigest()
    return Window(f"login-{who}", settings.FAILED_LOGIN_SECONDS)


def require_patience(email: str, request: HttpRequest | Request | None) -> None:
    """Refuse to look at one more password after too many that were wrong.

    Raises:
        Throttled: the time to wait is in it.
    """
    failed = failed_logins(email, request)
    limit: int = settings.FAILED_LOGINS
    if limit and failed.counted() >= limit:
        raise Throttled(failed.seconds_left, "Too many wrong passwords.")
