"""Lists of drives and servers: searched by name, newest first, a bounded page at a time."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest

from cloudjobs.api.filters import is_comparable, is_uuid
from cloudjobs.pages.live import Part

PAGE = 50
Row = TypeVar("Row")


@dataclass(frozen=True)
class Listing(Generic[Row]):
    """A page of objects. In a poll, which names the rows that the reader has, `gone` are those
    that are there no more. `path` is what the next poll asks for.
    """

    objects: list[Row]
    gone: tuple[str, ...]
    text: str
    path: str
    newer: str = ""
    older: str = ""

    def gone_parts(self, prefix: str) -> list[Part]:
        """Return what takes away the rows, whose ids begin so, of what is there no more."""
        names = [f"{prefix}-{uuid}" for uuid in self.gone]
        return [Part(name, "partials/gone_row.html", name) for name in names]


def read_listing(request: HttpRequest, objects: QuerySet[Any]) -> Listing[Any]:
    """Return what the address asks for."""
    if "rows" in request.GET and "HX-Request" in request.headers:
        return named_rows(request, objects)
    text = request.GET.get("text", "").strip()
    text = text if is_comparable("name", text) else ""
    found = objects.filter(name__icontains=text) if text else objects
    page = page_number(request.GET.get("page", ""))
    start = (page - 1) * PAGE
    rows = list(found.order_by("-created_at", "-pk")[start : start + PAGE + 1])
    return Listing(
        objects=rows[:PAGE],
        gone=(),
        text=text,
        path=poll_path(request, [str(row.pk) for row in rows[:PAGE]]),
        newer=query(text, page - 1) if page > 1 else "",
        older=query(text, page + 1) if len(rows) > PAGE else "",
    )


def named_rows(request: HttpRequest, objects: QuerySet[Any]) -> Listing[Any]:
    """Return the objects that a poll names, in its order."""
    uuids = [text for text in request.GET["rows"].split(",")[:PAGE] if is_uuid(text)]
    found = {str(row.pk): row for row in objects.filter(pk__in=[UUID(text) for text in uuids])}
    return Listing(
        objects=[found[uuid] for uuid in uuids if uuid in found],
        gone=tuple(uuid for uuid in uuids if uuid not in found),
        text="",
        path=poll_path(request, uuids),
    )


def poll_path(request: HttpRequest, uuids: list[str]) -> str:
    return f"{request.path}?{urlencode({'rows': ','.join(uuids)}, safe=',')}"


def query(text: str, page: int) -> str:
    return f"?{urlencode({'text': text, 'page': page} if text else {'page': page})}"


def page_number(text: str) -> int:
    return max(1, int(text)) if text.isdecimal() and len(text) < 7 else 1
