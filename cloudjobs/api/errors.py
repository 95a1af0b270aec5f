"""Errors as every API answer shows them: a list with one entry per fault.

    [{"error_type": "validation", "error_message": "…", "error_point": "size"}]

`error_point` is the field's name, dotted for nested ones, or null.
"""

import logging
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DataError, Error, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views import defaults
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler as drf_exception_handler

from cloudjobs.api.exceptions import BodyTooLarge, PointedError

logger = logging.getLogger(__name__)

ErrorList = list[dict[str, str | None]]
API_PREFIX = "/api/"
DATABASE_AWAY = "The database does not answer at the moment; try again."
RETRY_AFTER = {"Retry-After": "2"}  # seconds
MOST_ENTRIES = 100  # faults that an answer names; nobody reads more
DOCUMENTED_TYPES = {
    status.HTTP_401_UNAUTHORIZED: "permission",
    status.HTTP_403_FORBIDDEN: "permission",
    status.HTTP_404_NOT_FOUND: "notexist",
    status.HTTP_500_INTERNAL_SERVER_ERROR: "backend",
}


def entry(error_type: str, message: str, point: str | None = None) -> dict[str, str | None]:
    """Return one entry of an error list; what it repeats of the request can be encoded."""
    return {
        "error_type": error_type,
        "error_message": encodable(message),
        "error_point": point and encodable(point),
    }


def encodable(text: str) -> str:
    """Return the text with halves of surrogate pairs, which JSON can smuggle in, written out."""
    return text.encode(errors="backslashreplace").decode()


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an exception of a view with its status and the error list; None means a bug."""
    if isinstance(error, Error):
        return database_trouble(error)
    if isinstance(error, RequestDataTooBig):
        error = BodyTooLarge()
    response = drf_exception_handler(error, context)
    if response is not None:
        response.data = error_list(error, response.status_code)
    return response


def error_list(error: Exception, status_code: int) -> ErrorList:
    """Return the entries for an exception that Django REST framework knows how to answer."""
    if isinstance(error, PointedError):
        return [entry(error.error_type, str(error.detail), error.point)]
    error_type = DOCUMENTED_TYPES.get(status_code, "validation")
    if isinstance(error, Http404):
        return [entry(error_type, "There is no such object.")]
    if isinstance(error, PermissionDenied):
        return [entry(error_type, "You do not have permission to do this.")]
    if isinstance(error, exceptions.APIException):
        faults = islice(flatten(error.detail), MOST_ENTRIES)
        return [entry(error_type, message, point) for point, message in faults]
    return [entry(error_type, "The request failed.")]


def flatten(detail: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str | None, str]]:
    """Yield (dotted field or None, message) for each fault of a nested validation error."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            own = name == api_settings.NON_FIELD_ERRORS_KEY
            yield from flatten(inner, path if own else (*path, str(name)))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, dict | list)
            yield from flatten(inner, (*path, str(index)) if nested else path)
    else:
        yield ".".join(path) or None, str(detail)


def database_trouble(error: Error) -> Response:
    """Answer 503 when the database is locked or away, 400 when it cannot keep a value."""
    logger.error("database error while answering a request", exc_info=error)
    if isinstance(error, DataError):
        return Response([entry("validation", "A value cannot be kept.")], status=400)
    return Response([entry("database", DATABASE_AWAY)], status=503, headers=RETRY_AFTER)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 400, as an error list under the API."""
    if request.path.startswith(API_PREFIX):
        return JsonResponse([entry("validation", "Bad request.")], safe=False, status=400)
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 404, as an error list under the API."""
    if request.path.startswith(API_PREFIX):
        entries = [entry("notexist", "There is nothing at this address.")]
        return JsonResponse(entries, safe=False, status=404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's 500, as an error list under the API; a 503 if it is the database that is away."""
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        return without_database(request)
    if request.path.startswith(API_PREFIX):
        entries = [entry("backend", "The server failed; the failure is in its log.")]
        return JsonResponse(entries, safe=False, status=500)
    return defaults.server_error(request)


def without_database(request: HttpRequest) -> HttpResponse:
    """Answer whoever asked for something while the database was away."""
    if request.path.startswith(API_PREFIX):
        entries = [entry("database", DATABASE_AWAY)]
        return JsonResponse(entries, safe=False, status=503, headers=RETRY_AFTER)
    response = render(None, "database_away.html", status=503)
    response["Retry-After"] = RETRY_AFTER["Retry-After"]
    return response
