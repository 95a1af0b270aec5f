"""API addresses end in a slash: a GET without one is redirected, anything else served as it is."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase

from cloudjobs.api.errors import API_PREFIX

SAFE_METHODS = {"GET", "HEAD"}


class TrailingSlashMiddleware:
    """Runs before the URL is resolved, so that no route has to know of the missing slash."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if path.startswith(API_PREFIX) and not path.endswith("/"):
            if request.method in SAFE_METHODS:
                address = request.get_full_path(force_append_slash=True)
                return HttpResponsePermanentRedirect(address)
            request.path_info += "/"
            request.path += "/"
        return self.get_response(request)
