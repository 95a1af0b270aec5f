"""Compression of answers, where it helps."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

IMAGE_TYPE = "application/octet-stream"


class TextGZipMiddleware(GZipMiddleware):
    """Compresses text; images pass as they are, with their length and their ranges."""

    def process_response(self, request: HttpRequest, response: Any) -> HttpResponseBase:
        if response.headers.get("Content-Type") == IMAGE_TYPE:
            return response
        return super().process_response(request, response)
