"""Forms of people who are not logged in: small ones only.

Whether a form has its CSRF token is known when all of it was read, and its files lie on the disk
by then. A stranger's files would be refused after that; so they are refused before.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

FORM = "multipart/form-data"
TOO_LARGE = 413


class StrangersFormsMiddleware:
    """Stands before Django's CSRF check, and reads nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Return the refusal of a large form; the API's views read their bodies themselves."""
        if is_large_form(request) and not is_own_reader(view) and request.user.is_anonymous:
            return render(request, "413.html", status=TOO_LARGE)
        return None


def is_large_form(request: HttpRequest) -> bool:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return request.content_type == FORM and (
        not length.isdigit() or int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    )


def is_own_reader(view: Any) -> bool:
    return getattr(view, "csrf_exempt", False)
