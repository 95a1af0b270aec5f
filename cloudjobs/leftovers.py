"""What of a request's body nobody has read, when its answer is ready.

The web server ends a connection with such a rest in it, and the client's next request is lost. So
the rest is read, or the client is told that the connection ends.
"""

from collections.abc import Callable

from django.http import HttpRequest, UnreadablePostError
from django.http.response import HttpResponseBase
from django.utils.functional import LazyObject

MOST_READ = 1024 * 1024
"""Bytes of a user that are read and forgotten; for more than these, a new connection is cheaper."""

BLOCK = 64 * 1024


class LeftoversMiddleware:
    """Reads what users have left; strangers are not waited for, and open a new connection."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if may_be_left(request) and not (is_of_a_user(request) and read_to_the_end(request)):
            response["Connection"] = "close"
        return response


def may_be_left(request: HttpRequest) -> bool:
    """Does a request have a body that nobody has taken in as a whole?"""
    taken = hasattr(request, "_body") or hasattr(request, "_files")
    return is_chunked(request) or (announced_bytes(request) > 0 and not taken)


def is_chunked(request: HttpRequest) -> bool:
    return "HTTP_TRANSFER_ENCODING" in request.META


def announced_bytes(request: HttpRequest) -> int:
    """Return the length of the body, as its sender announced it; 0 if that is no number."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def is_of_a_user(request: HttpRequest) -> bool:
    """Was it found out whose request it is? Nobody is looked for any more."""
    user = vars(request).get("user")
    if isinstance(user, LazyObject):
        user = vars(request).get("_cached_user")
    return user is not None and user.is_authenticated


def read_to_the_end(request: HttpRequest) -> bool:
    """Read what is left; False if that is too much, or not to be read."""
    is_untouched = not vars(request).get("_read_started")
    if is_chunked(request) or (is_untouched and announced_bytes(request) > MOST_READ):
        return False
    left = MOST_READ
    try:
        while left > 0:
            block = request.read(min(BLOCK, left))
            if not block:
                return True
            left -= len(block)
    except UnreadablePostError:
        pass
    return False
