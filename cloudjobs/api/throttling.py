"""How much a user may ask, and how often anybody may guess a password."""

import hashlib
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from cloudjobs.api.counting import Window
from cloudjobs.metrics import instruments

AnyRequest = HttpRequest | Request
MINUTE = 60
MANY = 10


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


def failed_logins(email: str, request: AnyRequest | None) -> list[tuple[Window, int]]:
    """Return the counters of wrong passwords that this login counts for, each with its limit.

    Few for one email from one address; ten times as many from one address, whatever the email, and
    for one email, wherever they come from: there are lists of emails, and nets of addresses.
    """
    asked: Any = request
    address = (asked and BaseThrottle().get_ident(asked)) or ""
    limit: int = settings.FAILED_LOGINS
    email = email.lower()
    return [
        (login_window("both", email, address), limit),
        (login_window("address", address), MANY * limit),
        (login_window("email", email), MANY * limit),
    ]


def login_window(*what: str) -> Window:
    who = hashlib.sha256("\n".join(what).encode(errors="replace")).hexdigest()
    return Window(f"login-{who}", settings.FAILED_LOGIN_SECONDS)


def count_failed_login(email: str, request: AnyRequest | None) -> None:
    """Note that a password was wrong."""
    instruments.failed_logins.inc()
    for window, _ in failed_logins(email, request):
        window.count()


def require_patience(email: str, request: AnyRequest | None) -> None:
    """Refuse to look at one more password after too many that were wrong.

    Raises:
        Throttled: the time to wait is in it.
    """
    for failed, limit in failed_logins(email, request):
        if limit and failed.counted() >= limit:
            instruments.throttled_logins.inc()
            raise Throttled(failed.seconds_left, "Too many wrong passwords.")
