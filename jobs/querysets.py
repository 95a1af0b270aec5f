"""Filters on jobs that read as phrases, and the fetching of whole trees."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from mptt.managers import TreeManager
from mptt.utils import get_cached_trees

from jobs.roll_up import walk

LOG = ("events", "samples", "params")  # what grows with a job and most readers do not need


def stale() -> Any:
    """Return the time before which a worker must have been silent to lose its job."""
    return Now() - timedelta(seconds=settings.JOB_LEASE_SECONDS)


class JobQuerySet(QuerySet[Any]):
    def visible(self) -> Self:
        """Return the jobs that users see; creating, resizing and deleting have internal ones."""
        return self.filter(is_internal=False)

    def roots(self) -> Self:
        return self.filter(parent=None)

    def leaves(self) -> Self:
        """Return the jobs that a worker runs; the others sum their children up."""
        return self.filter(rght=F("lft") + 1)

    def unfinished(self) -> Self:
        return self.filter(state=self.model.State.STARTED)

    def free(self) -> Self:
        """Return the unfinished leaves without a lease, or with one that nobody renews."""
        return self.unfinished().leaves().filter(Q(lease_token=None) | Q(heartbeat_at__lt=stale()))

    def leased(self) -> Self:
        """Return the jobs that a worker has, though it may have died since."""
        return self.unfinished().filter(lease_token__isnull=False)

    def running(self) -> Self:
        """Return the jobs that a worker is at work on."""
        return self.leased().filter(heartbeat_at__gte=stale())

    def claimable(self) -> Self:
        """Return the jobs that wait for a worker."""
        return self.free().filter(fruitless__lt=settings.JOB_MAX_ATTEMPTS)

    def exhausted(self) -> Self:
        """Return the jobs that cost so many workers that no further one shall try."""
        return self.free().filter(fruitless__gte=settings.JOB_MAX_ATTEMPTS)

    def failed_since(self, time: datetime) -> Self:
        """Return the root jobs that failed after a time."""
        return self.roots().filter(finished_at__gte=time, state=self.model.State.FAILED)

    def finished_before(self, time: datetime) -> Self:
        return self.filter(finished_at__lt=time).exclude(state=self.model.State.STARTED)

    def without_log(self) -> Self:
        """Leave in the database what only a job's own page shows."""
        return self.defer(*LOG)

    def linked_to(self, kind: str, uuids: Iterable[UUID]) -> Self:
        """Return the jobs that have one of these objects among their resources."""
        return self.filter(links__kind=kind, links__object_uuid__in=list(uuids))

    def inside(self, job: Any) -> Self:
        """Return the job and all below it."""
        return self.filter(tree_id=job.tree_id, lft__gte=job.lft, rght__lte=job.rght)


class JobManager(TreeManager.from_queryset(JobQuerySet)):  # type: ignore[misc]
    """The tree's manager: what it yields can be assembled by `with_trees`."""


class JobLinkQuerySet(QuerySet[Any]):
    def visible_jobs(self, kind: str, uuids: Iterable[UUID], owner: Any) -> dict[UUID, list[UUID]]:
        """Return the owner's jobs of each of these objects, oldest first, in one query."""
        visible = self.filter(job__is_internal=False, job__owner=owner)
        links = visible.filter(kind=kind, object_uuid__in=list(uuids))
        ordered = links.order_by("job__created", "job_id")
        jobs: dict[UUID, list[UUID]] = {}
        for uuid, job in ordered.values_list("object_uuid", "job_id"):
            jobs.setdefault(uuid, []).append(job)
        return jobs


def with_trees(jobs: list[Any], *, with_log: bool = False) -> list[Any]:
    """Return the same jobs with all below them fetched: one query, however many jobs.

    `sub_jobs` of each node asks nothing more.
    """
    trees = {job.tree_id for job in jobs if not job.is_leaf}
    if trees:
        nodes = jobs[0].__class__.objects.filter(tree_id__in=trees).order_by("tree_id", "lft")
        nodes = nodes if with_log else nodes.without_log()
        fetched = {node.pk: node for node in walk(get_cached_trees(nodes))}
        jobs = [fetched.get(job.pk, job) for job in jobs]
    return jobs
