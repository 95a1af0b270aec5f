"""Bodies announce their length: WSGI applications see nothing of one that comes in chunks."""

from collections.abc import Callable

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from cloudjobs.api.errors import API_PREFIX, entry

LENGTH_REQUIRED = 411


class AnnouncedBodyMiddleware:
    """Refuses a chunked body instead of taking it for an empty one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        chunked = "HTTP_TRANSFER_ENCODING" in request.META
        if chunked and not request.META.get("CONTENT_LENGTH") and is_api(request):
            message = "A body announces its length; chunks are not taken."
            fault = entry("validation", message, "Content-Length")
            return JsonResponse([fault], safe=False, status=LENGTH_REQUIRED)
        return self.get_response(request)


def is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(API_PREFIX)
