"""Every address of the service, taken from the URL table, and an object for each to be about."""

import re
from typing import Any

from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import ApiToken, User
from drives.models import Drive
from jobs.actions import JobSpec, Resource, submit
from jobs.models import Job, JobLink
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
    """Return a path for each route below /api/."""
    return [path for path in all_paths() if path.startswith("/api/")]


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


def make_everything(owner: User) -> None:
    """Make one object of each kind, so that every address with a uuid has one to tell of."""
    DriveFactory(uuid=UUID, owner=owner, storage_host="dssd-1", name="owned disk", size=512 * MIB)
    snapshot = SnapshotFactory(
        uuid=UUID,
        owner=owner,
        name="owned snapshot",
        drive__storage_host="dssd-2",
        drive__name="owned source",
    )
    LibraryEntryFactory(drive__uuid=LIBRARY_UUID)
    server = ServerFactory(uuid=UUID, owner=owner, name="owned server")
    MountFactory(server=server, drive__name="owned system")
    KeyPairFactory(uuid=UUID, owner=owner, name="owned key")
    TagFactory(uuid=UUID, owner=owner, name="owned tag", resources=[server])
    ApiToken.objects.create(uuid=UUID, user=owner, name="owned token", digest="0" * 64)
    make_job(owner, snapshot.drive)


def make_job(owner: User, drive: Drive) -> None:
    """Make a job that works on a drive."""
    submit(JobSpec("test_noted"), owner)
    resource = Resource("drives", drive.pk, drive.name)
    Job.objects.update(uuid=UUID, resources=[resource.as_json()])
    JobLink.objects.create(job_id=UUID, kind=resource.kind, object_uuid=resource.uuid)
