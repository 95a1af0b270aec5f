"""Lists: `{"meta": {"limit", "offset", "total_count"}, "objects": […]}`.

`limit=0` means all. That, like any limit above one chunk, is answered as a stream: a chunk of rows
is read, written and forgotten before the next one.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson
from django.db import connections
from django.db.models import QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from cloudjobs.api.exceptions import Invalid

DEFAULT_LIMIT = 20
CHUNK_ROWS = 200
LARGEST_NUMBER = 2**63 - 1  # what a database can count to


class MetaPagination(BasePagination):
    """Reads `limit` and `offset`; nonsense is a 400 that names the parameter."""

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any]:
        self.limit, self.offset = asked_window(request)
        self.total_count = queryset.count()
        return list(window(queryset, self.limit, self.offset))

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"meta": self.meta(), "objects": data})

    def meta(self) -> dict[str, int]:
        return {"limit": self.limit, "offset": self.offset, "total_count": self.total_count}


def asked_window(request: Request) -> tuple[int, int]:
    """Return the limit (0 is none) and the offset that a request asks for.

    Raises:
        Invalid: one of them is negative, no number, or more than a database can count.
    """
    limit = natural_number(request, "limit", DEFAULT_LIMIT)
    return limit, natural_number(request, "offset", 0)


def window(queryset: QuerySet[Any], limit: int, offset: int) -> QuerySet[Any]:
    """Return the rows that limit and offset leave."""
    if not limit:
        return queryset[offset:] if offset else queryset
    return queryset[offset : offset + limit]


def natural_number(request: Request, name: str, default: int) -> int:
    """Return a query parameter as a number from 0 on.

    Raises:
        Invalid: it is negative, no number, or more than a database can count.
    """
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(LARGEST_NUMBER)):
        raise Invalid(f"{name} is a whole number from 0 on.", name)
    number = int(text)
    if number > LARGEST_NUMBER:
        raise Invalid(f"{name} is too large.", name)
    return number


def stream_list(
    queryset: QuerySet[Any],
    limit: int,
    offset: int,
    serialize: Callable[[list[Any]], Iterable[Any]],
) -> Iterator[bytes]:
    """Yield the JSON of a list, chunk by chunk; the same bytes as the renderer's.

    The first chunk is made before anything is yielded, so that a database which does not answer is
    still told by the status of the answer.
    """
    meta = {"limit": limit, "offset": offset, "total_count": queryset.count()}
    begun = b'{"meta":%b,"objects":[' % encode(meta)
    for chunk in chunks(window(queryset, limit, offset)):
        yield begun + encode(serialize(chunk))[1:-1]  # without the brackets of the chunk's list
        begun = b","
    yield b"]}" if begun == b"," else begun + b"]}"


def encode(data: Any) -> bytes:
    """Return data as JSON as the renderer writes it, who escapes what ends a line of JavaScript."""
    text = orjson.dumps(data)
    return text.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")


def chunks(queryset: QuerySet[Any]) -> Iterator[list[Any]]:
    """Yield the rows in lists, without holding more than one of them.

    A database that goes away breaks the end of the cursor, too, which Django does not wrap.
    """
    rows: list[Any] = []
    with connections[queryset.db].wrap_database_errors:
        for row in queryset.iterator(CHUNK_ROWS):
            rows.append(row)
            if len(rows) == CHUNK_ROWS:
                yield rows
                rows = []
    if rows:
        yield rows
