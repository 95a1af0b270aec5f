"""What is sent: objects as their owner's GET answers them, written by the API's own views."""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from accounts.models import Profile, User
from accounts.serializers import ProfileSerializer
from cloudjobs.announcing import PROFILE, Thing
from cloudjobs.api.fields import API_ROOT, resource_uri
from cloudjobs.api.viewsets import ResourceViewSet
from drives.api import DriveViewSet
from drives.querysets import KIND as DRIVES
from jobs.announcing import KIND as JOBS
from jobs.announcing import touched
from jobs.api import JobViewSet
from jobs.models import Job
from servers.api import ServerViewSet
from servers.querysets import KIND as SERVERS

VIEWS: dict[str, type[ResourceViewSet]] = {
    DRIVES: DriveViewSet,
    JOBS: JobViewSet,
    SERVERS: ServerViewSet,
}
PROFILE_URI = f"{API_ROOT}profile/"


def read_events(owner: str, things: Collection[Thing]) -> dict[Thing, str]:
    """Return the frames that tell a user of these things, by thing.

    `object` is what a GET would answer now, and null for what is gone. With a job those above it
    are told of, as they sum it up.
    """
    user = User.objects.filter(pk=owner).first()
    if user is None:
        return {}
    frames = {}
    for kind in VIEWS:
        uuids = {uuid for of_kind, uuid in things if of_kind == kind}
        found = {thing["uuid"]: thing for thing in answered(kind, user, uuids)} if uuids else {}
        for uuid in uuids | found.keys():
            frames[kind, uuid] = frame(kind, resource_uri(kind, uuid), found.get(uuid))
    if (PROFILE, owner) in things:
        profile = Profile.objects.select_related("user").get(user=user)
        frames[PROFILE, owner] = frame(PROFILE, PROFILE_URI, ProfileSerializer(profile).data)
    return frames


def answered(kind: str, user: User, uuids: set[str]) -> list[Any]:
    """Return those of the objects that the user has, as the API answers each."""
    request = Request(HttpRequest())
    request.user = user
    view = VIEWS[kind](request=request, action="retrieve", detail=True, kwargs={})
    mine = view.get_queryset()
    found: Iterable[Any] = mine.filter(pk__in=uuids)
    if kind == JOBS:
        found = with_those_above(list(found), mine)
    return [{**one, "uuid": str(one["uuid"])} for one in view.serialize(found)]


def with_those_above(jobs: list[Job], mine: QuerySet[Job]) -> list[Job]:
    """Return some of a user's jobs and, in front of them, those that sum them up: one query."""
    trees = {job.tree_id for job in jobs if job.parent_id}
    listed = {job.pk for job in jobs}
    inner = mine.filter(tree_id__in=trees, rght__gt=F("lft") + 1) if trees else []
    above = [one for one in inner if one.pk not in listed and any(sums_up(one, j) for j in jobs)]
    return [*above, *jobs]


def sums_up(upper: Job, job: Job) -> bool:
    return upper.tree_id == job.tree_id and upper.lft < job.lft and job.rght < upper.rght


def frame(kind: str, uri: str, thing: Any) -> str:
    """Return the text of a frame."""
    event = {"resource_type": kind, "resource_uri": uri, "object": thing}
    return JSONRenderer().render(event).decode()


def changed_lately(owners: Mapping[str, float]) -> list[tuple[str, list[Thing]]]:
    """Return what jobs of these users have changed within so many seconds, each with its owner.

    What has ended is found by the roots, so that one index serves; progress below is not.
    """
    since = Now() - timedelta(seconds=max(owners.values()))
    roots = Job.objects.visible().roots().filter(owner__in=owners, last_modified__gt=since)
    trees = {
        root.tree_id
        for root in roots.without_log().annotate(asked_at=Now())
        if (root.asked_at - root.last_modified).total_seconds() < owners[str(root.owner_id)]
    }
    jobs = Job.objects.filter(tree_id__in=trees).without_log() if trees else []
    return [(str(job.owner_id), touched(job)) for job in jobs]
