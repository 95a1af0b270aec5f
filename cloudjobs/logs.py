"""One log line for each request, what all lines of a job tell, and a format for people who watch
a terminal.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ClassVar

from django.http import HttpRequest, HttpResponseBase
from django_guid.context import guid

from cloudjobs.metrics.instruments import count_request

logger = logging.getLogger("cloudjobs.requests")

PROBES = {"/healthz", "/metrics", "/readyz"}


class RequestLogMiddleware:
    """Counts every request, and logs method, path, status and milliseconds of all but probes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = self.get_response(request)
        seconds = time.perf_counter() - began
        count_request(request, response.status_code, seconds)
        if request.path not in PROBES:
            self.log(request, response, seconds)
        return response

    def log(self, request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
        fields = {
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "milliseconds": round(seconds * 1000, 1),
        }
        logger.info("request", extra=fields)


_told: ContextVar[dict[str, str] | None] = ContextVar("told", default=None)


@contextmanager
def every_line_tells(request_id: str | None, **fields: str) -> Iterator[None]:
    """Have each line that this thread logs meanwhile tell these, and the id of the request that
    it is about, which may be long over.
    """
    fields_before, request_before = _told.set(fields), guid.set(request_id)
    try:
        yield
    finally:
        _told.reset(fields_before)
        guid.reset(request_before)


class TellingFilter(logging.Filter):
    """Adds what every line tells; what a line says itself counts."""

    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in (_told.get() or {}).items():
            vars(record).setdefault(name, value)
        return True


class ShortFilter(logging.Filter):
    """Leaves out the traceback of what any stranger can cause."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True


class ConsoleFormatter(logging.Formatter):
    """`10:00:00 INFO jobs.runner job finished job=… outcome=success`"""

    names: ClassVar[dict[str, str]] = {"correlation_id": "request_id"}
    standard = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s", datefmt="%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's own name
        extra = {k: v for k, v in vars(record).items() if k not in self.standard and v is not None}
        pairs = " ".join(
            f"{self.names.get(name, name)}={one_line(value)}" for name, value in extra.items()
        )
        return f"{super().formatMessage(record)} {pairs}".rstrip()


def one_line(value: object) -> str:
    """Return a value with control characters written out: a client must not forge a line."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(value))
