"""Every address of the service, taken from the URL table, and an object for each to be about."""

import re
from typing import Any

from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import ApiToken, User
from drives.models import Snapshot
from jobs.actions import JobSpec, Resource, submit
from jobs.models import Job, JobLink
from servers.models import Server
from tags.models import TagLink
from tests.factories import (
    MIB,
    DriveFactory,
    KeyPairFactory,
    LibraryEntryFactory,
    MountFactory,
    ServerFactory,
    SnapshotFactory,
    TagFactory,
)

OBJECT = "OBJECT"
UUID = "12345678-1234-1234-1234-123456789abc"
LIBRARY_UUID = "87654321-1234-1234-1234-123456789abc"  # as the drive of that uuid is a user's


def all_paths() -> list[str]:
    """Return a path for each route; those of the admin name an `OBJECT`."""
    return sorted(set(walk(get_resolver().url_patterns, "/")))


def api_paths() -> list[str]:
    """Return a path for each route below /api/2.0/."""
    return [path for path in all_paths() if path.startswith("/api/2.0/")]


def walk(patterns: list[Any], prefix: str) -> list[str]:
    found = []
    for each in patterns:
        path = prefix + filled(each)
        found += walk(each.url_patterns, path) if isinstance(each, URLResolver) else [path]
    return found


def filled(each: URLPattern | URLResolver) -> str:
    """Return a route with example values in the places of its parameters."""
    route = str(each.pattern).lstrip("^").rstrip("$").replace("<path:name>", "name")
    route = re.sub(r"<path:object_id>|<id>", OBJECT, route).replace("<uuid:uuid>", UUID)
    route = re.sub(r"\(\?P<app_label>(\w+)[^)]*\)", r"\1", route)
    route = route.replace("(?P<url>.*)", "nowhere").replace("<path:content_type_id>", "1")
    while "(?P<uuid>" in route:
        begin = route.index("(?P<uuid>")
        uuid = LIBRARY_UUID if "libdrives/" in route else UUID
        route = route[:begin] + uuid + route[route.index(")", begin) + 1 :]
    return route


def with_objects(path: str) -> str:
    """Return a path of the admin with the key of an object where it names one."""
    if OBJECT not in path:
        return path
    _, _, app, model, *_ = path.split("/")
    some = None if app == "r" else apps.get_model(app, model)._default_manager.first()
    return path.replace(OBJECT, str(some.pk) if some else UUID)


def filled_path(path: str) -> str:
    """Return a path of the OpenAPI document with example values."""
    uuid = LIBRARY_UUID if "/libdrives/" in path else UUID
    return path.replace("{uuid}", uuid).replace("{name}", "name")


def make_everything(owner: User) -> None:
    """Make one object of each kind, so that every address with a uuid has one to tell of."""
    DriveFactory(uuid=UUID, owner=owner, storage_host="dssd-1", name="owned disk", size=16 * MIB)
    SnapshotFactory(
        uuid=UUID,
        owner=owner,
        name="owned snapshot",
        drive__storage_host="dssd-2",
        drive__name="owned source",
    )
    LibraryEntryFactory(drive__uuid=LIBRARY_UUID)
    ServerFactory(uuid=UUID, owner=owner, name="owned server")
    KeyPairFactory(uuid=UUID, owner=owner, name="owned key")
    TagFactory(uuid=UUID, owner=owner, name="owned tag")
    submit(JobSpec("test_noted"), owner)
    Job.objects.update(uuid=UUID)


def connect_everything(owner: User) -> None:
    """Have these objects name each other, and the owner a token."""
    MountFactory(server=Server.objects.get(), drive__name="owned system")
    TagLink.objects.create(tag_id=UUID, kind="servers", object_uuid=UUID)
    source = Snapshot.objects.get().drive
    Job.objects.update(resources=[Resource("drives", source.pk, source.name).as_json()])
    JobLink.objects.create(job_id=UUID, kind="drives", object_uuid=source.pk)
    ApiToken.objects.create(uuid=UUID, user=owner, name="owned token", digest="0" * 64)
