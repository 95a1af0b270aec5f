"""Bodies come plain: with their length announced, and not compressed.

WSGI applications see nothing of a body that comes in chunks. Nothing here unpacks a body, so that
no small one can become a large one; an image would be stored as it was packed.
"""

from collections.abc import Callable

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from cloudjobs.api.errors import API_PREFIX, entry

LENGTH_REQUIRED, UNSUPPORTED = 411, 415
PLAIN = {"", "identity"}


class PlainBodyMiddleware:
    """Refuses a chunked body instead of taking it for an empty one, and a compressed one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.headers.get("Content-Encoding", "").strip().lower() not in PLAIN:
            message = "A body comes as it is, not compressed."
            response = refusal(UNSUPPORTED, message, "Content-Encoding")
            response["Accept-Encoding"] = "identity"  # RFC 9110, 15.5.16
            return response
        chunked = "HTTP_TRANSFER_ENCODING" in request.META
        if chunked and not request.META.get("CONTENT_LENGTH") and is_api(request):
            message = "A body announces its length; chunks are not taken."
            return refusal(LENGTH_REQUIRED, message, "Content-Length")
        return self.get_response(request)


def refusal(status: int, message: str, point: str) -> JsonResponse:
    return JsonResponse([entry("validation", message, point)], safe=False, status=status)


def is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(API_PREFIX)
