"""Keeps what belongs to a user out of caches: a browser's Back after a logout shows nothing."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class PrivateAnswersMiddleware:
    """Forbids to keep an answer to somebody who was logged in, unless it says itself how."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        session = settings.SESSION_COOKIE_NAME in request.COOKIES
        if session or "Authorization" in request.headers:
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response
