"""The jobs of a drive or server, for its page."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import reverse

from accounts.models import User
from cloudjobs.pages.live import Part
from jobs.models import Job
from jobs.querysets import with_trees
from jobs.rows import JobGroup, group_of

SHOWN = 10


@dataclass(frozen=True)
class History:
    """The newest jobs that worked on an object; `is_live` while one of them has not ended."""

    groups: tuple[JobGroup, ...]
    is_live: bool

    def parts(self) -> Iterator[Part]:
        uuids = [group.head.frame.uuid for group in self.groups]
        yield Part("history", "jobs/job_history.html", self, key=uuids)
        for group in self.groups:
            yield from group.parts(inside="history")


def linked_jobs(kind: str, uuid: UUID) -> Any:
    jobs = Job.objects.linked_to(kind, [uuid]).visible().select_related("owner")
    return jobs.order_by("-created", "level")


def history_of(kind: str, uuid: UUID, owner: User) -> History:
    """Return the history of an object: two queries."""
    jobs = with_trees(list(linked_jobs(kind, uuid).without_log().filter(owner=owner)[:SHOWN]))
    live = [job for job in jobs if not job.is_finished]
    groups = (group_of(job, is_open=job in live and not job.is_leaf) for job in jobs)
    return History(tuple(groups), bool(live))


def job_page(kind: str, uuid: UUID) -> str:
    """Return the page of the newest job of an object, or of the object if it has none."""
    job = linked_jobs(kind, uuid).first()
    if job is None:
        return reverse(f"{kind}:detail", args=[uuid])
    return reverse("jobs:detail", args=[job.pk])
