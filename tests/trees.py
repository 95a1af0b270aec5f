"""Job trees for tests, and what happens to their jobs from outside."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from jobs.actions import JobSpec
from jobs.models import Job
from tests.wire import API


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


def states_of(root: Job) -> list[str]:
    """Return the states of a tree's jobs, parents first."""
    return [job.state for job in jobs_of(root)]


def kinds_of(job: Job) -> list[str]:
    """Return what the log of a job tells, oldest first."""
    return [entry["kind"] for entry in Job.objects.get(pk=job.pk).events]


def steer(api: Any, job: Job, do: str) -> Any:
    """Ask the API to cancel or retry a job."""
    return api.post(f"{API}/jobs/{job.pk}/action/?do={do}")


def wear_out(job: Job) -> None:
    """Let as many workers as may have died of the job."""
    Job.objects.filter(pk=job.pk).update(fruitless=settings.JOB_MAX_ATTEMPTS)
