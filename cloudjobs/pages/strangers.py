"""Forms of people who are not logged in: small ones, and few at once.

Whether a form has its CSRF token is known when all of it was read, and its files lie on the disk
by then. A stranger's files would be refused after that; so they are refused before.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.shortcuts import render

from cloudjobs.api.exceptions import Busy
from cloudjobs.api.strangers import strangers_turn

FORM = "multipart/form-data"
TOO_LARGE, UNAVAILABLE = 413, 503


class StrangersFormsMiddleware:
    """Stands before Django's CSRF check, which would read whatever comes, and wait for it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Read a stranger's form, or return why not; the API's views read bodies themselves."""
        if request.method != "POST" or is_own_reader(view) or not request.user.is_anonymous:
            return None
        if is_large_form(request):
            return render(request, "413.html", status=TOO_LARGE)
        try:
            with strangers_turn(), suppress(UnreadablePostError):
                request.POST  # noqa: B018  reads it; Django keeps what was read
        except Busy:
            return render(request, "503.html", status=UNAVAILABLE)
        return None


def is_large_form(request: HttpRequest) -> bool:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return request.content_type == FORM and (
        not length.isdigit() or int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    )


def is_own_reader(view: Any) -> bool:
    return getattr(view, "csrf_exempt", False)
