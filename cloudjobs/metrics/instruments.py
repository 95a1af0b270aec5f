"""What the web server counts as it happens."""

import os
from functools import cache

from django.http import HttpRequest
from prometheus_client import CollectorRegistry, Counter, Histogram, multiprocess

from cloudjobs.metrics.folder import VARIABLE

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
LONG_POLL = "api:job-detail"

own = CollectorRegistry()

requests = Histogram(
    "cloudjobs_request_seconds",
    "Time until an answer began, by the name of its route.",
    ["route", "method", "status"],
    registry=own,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
failed_logins = Counter(
    "cloudjobs_failed_logins", "Passwords that were looked at and were wrong.", registry=own
)
throttled_logins = Counter(
    "cloudjobs_throttled_logins",
    "Passwords that were not looked at, after too many wrong ones.",
    registry=own,
)


series = cache(requests.labels)  # which looks under a lock each time


def count_request(request: HttpRequest, status: int, seconds: float) -> None:
    """Count an answer; its labels are of a bounded number, whatever is asked."""
    method = request.method if request.method in METHODS else "other"
    series(route_of(request), method, f"{status // 100}xx").observe(seconds)


def route_of(request: HttpRequest) -> str:
    """Return the name of the route; requests that wait for the end of a job have their own."""
    match = request.resolver_match
    if match is None:
        return "none"
    if match.view_name == LONG_POLL and "wait=" in request.META.get("QUERY_STRING", ""):
        return f"{LONG_POLL}?wait"
    return match.view_name


def counted() -> CollectorRegistry:
    """Return a registry with what this process and its brothers have counted."""
    registry = CollectorRegistry()
    if VARIABLE in os.environ:
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(own)
    return registry
