"""Every address of the API, taken from the URL table, and an object for each to be about."""

from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User
from jobs.actions import JobSpec, submit
from jobs.models import Job
from tests.factories import (
    DriveFactory,
    KeyPairFactory,
    LibraryEntryFactory,
    ServerFactory,
    SnapshotFactory,
    TagFactory,
)

UUID = "12345678-1234-1234-1234-123456789abc"
LIBRARY_UUID = "87654321-1234-1234-1234-123456789abc"  # as the drive of that uuid is a user's


def api_paths() -> list[str]:
    """Return a path for each route below /api/."""
    return sorted(set(walk(get_resolver().url_patterns, "/")))


def walk(patterns: list[Any], prefix: str) -> list[str]:
    found = []
    for each in patterns:
        path = prefix + filled(each)
        if isinstance(each, URLResolver):
            found += walk(each.url_patterns, path)
        elif path.startswith("/api/"):
            found.append(path)
    return found


def filled(each: URLPattern | URLResolver) -> str:
    """Return a route with example values in the places of its parameters."""
    route = str(each.pattern).lstrip("^").rstrip("$").replace("<path:name>", "name")
    while "(?P<uuid>" in route:
        begin = route.index("(?P<uuid>")
        uuid = LIBRARY_UUID if "libdrives/" in route else UUID
        route = route[:begin] + uuid + route[route.index(")", begin) + 1 :]
    return route


def make_everything(owner: User) -> None:
    """Make one object of each kind, so that every address with a uuid has one to tell of."""
    DriveFactory(uuid=UUID, owner=owner, storage_host="dssd-1")
    SnapshotFactory(uuid=UUID, owner=owner, drive__storage_host="dssd-2")
    LibraryEntryFactory(drive__uuid=LIBRARY_UUID)
    ServerFactory(uuid=UUID, owner=owner)
    KeyPairFactory(uuid=UUID, owner=owner)
    TagFactory(uuid=UUID, owner=owner)
    submit(JobSpec("test_noted"), owner)
    Job.objects.update(uuid=UUID)
