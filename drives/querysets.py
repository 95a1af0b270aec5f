"""Filters on drives that read as phrases."""

from collections.abc import Iterable
from typing import Any, Self
from uuid import UUID

from django.db.models import QuerySet

from jobs.models import JobLink

KIND = "drives"


class DriveQuerySet(QuerySet[Any]):
    def owned_by(self, user: Any) -> Self:
        return self.filter(owner=user)

    def locked(self) -> Self:
        """Return the drives with their rows locked until the transaction ends, in one order."""
        return self.order_by("pk").select_for_update()


def visible_jobs(uuids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """Return the jobs that users see of each of these drives, oldest first, in one query."""
    links = JobLink.objects.filter(
        kind=KIND, object_uuid__in=list(uuids), job__is_internal=False
    ).order_by("job__created", "job_id")
    jobs: dict[UUID, list[UUID]] = {}
    for drive, job in links.values_list("object_uuid", "job_id"):
        jobs.setdefault(drive, []).append(job)
    return jobs
