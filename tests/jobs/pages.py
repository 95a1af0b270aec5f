"""Jobs for tests of pages: with objects that have names, and in every state."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from accounts.models import User
from jobs.actions import JobSpec, Resource, submit
from jobs.models import Job


def clone_spec(source: str, clone: str, *children: JobSpec, **parts: Any) -> JobSpec:
    """Return a job that clones one object into another."""
    kind = "servers" if children else "drives"
    resources = tuple(Resource(kind, uuid4(), name) for name in (source, clone))
    parts.setdefault("operation", "test_noted")
    return JobSpec(resources=resources, children=children, **parts)


def clone_job(owner: User, source: str = "web-1", clone: str = "web-2", **parts: Any) -> Job:
    return submit(clone_spec(source, clone, weight=parts.pop("weight", 1000), **parts), owner)


def server_job(owner: User, disks: int = 2) -> Job:
    """Return a tree: a server's clone, with a job for each disk."""
    children = [clone_spec(f"disk-{n}", f"copy-{n}", weight=1000) for n in range(disks)]
    return submit(clone_spec("web-1", "web-2", *children), owner)


def put_into(job: Job, state: str, **values: Any) -> Job:
    """Let a job be in a state, as if it had ended in it."""
    Job.objects.filter(pk=job.pk).update(state=state, finished_at=timezone.now(), **values)
    return job


def made_ago(job: Job, **ago: float) -> Job:
    Job.objects.filter(pk=job.pk).update(created=timezone.now() - timedelta(**ago))
    return job
