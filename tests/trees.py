"""Job trees for tests, and what happens to their jobs from outside."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from jobs.actions import JobSpec
from jobs.models import Job


def leaf(weight: int = 0, operation: str = "test_noted", **parts: Any) -> JobSpec:
    """Return a job that does work, of `weight` bytes."""
    return JobSpec(operation, weight=weight, **parts)


def inner(*children: JobSpec) -> JobSpec:
    """Return a job that sums its children up."""
    return JobSpec("test_noted", children=children)


def jobs_of(root: Job) -> list[Job]:
    """Return all jobs of a tree as the database has them, parents first."""
    return list(Job.objects.filter(tree_id=root.tree_id).order_by("lft"))


def make_stale(job: Job) -> None:
    """Let the job's worker have been silent for longer than a lease holds."""
    Job.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=1))


def row_of(job: Job) -> dict[str, Any]:
    """Return all that the database has of a job."""
    return Job.objects.filter(pk=job.pk).values().get()
