"""What can be done with jobs: submit a whole tree of them, cancel it, retry it."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import User
from cloudjobs.api.exceptions import Missing, Refused
from cloudjobs.prepared import insert_rows
from jobs import endings
from jobs.announcing import announce_job, announce_work
from jobs.asking import after_asking
from jobs.events import EventKind, event
from jobs.models import Job, JobLink
from jobs.registry import get_operation
from jobs.tasks import enqueue
from jobs.turns import next_place

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Resource:
    """An object that a job works on: its name in the API, its key, and what it is called."""

    kind: str
    uuid: UUID
    name: str

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "uuid": str(self.uuid), "name": self.name, "is_gone": False}


@dataclass(frozen=True)
class JobSpec:
    """A job to be made, with all below it.

    `weight` is the bytes that a leaf has to move; `resources` lists a source before a destination.
    On a `lane`, such as a storage host, only so many jobs may run at once. With `verify`, what was
    moved is compared with its source, which is the second half of the work.
    """

    operation: str
    params: dict[str, Any] = field(default_factory=dict)
    weight: int = 0
    resources: tuple[Resource, ...] = ()
    children: tuple["JobSpec", ...] = ()
    lane: str = ""
    verify: bool = False


@transaction.atomic(savepoint=False)
def submit(spec: JobSpec, owner: User) -> Job:
    """Insert the tree, queue its leaves, return its root; workers see it once it is committed.

    Who is in a transaction already has to give that up when this fails.

    Raises:
        LookupError: an operation is not registered.
    """
    place = next_place(owner)
    planned = list(plan(spec, owner, place.tree))
    give_turns(planned, place.turn)
    insert_rows(planned)
    insert_rows(
        [
            JobLink(job_id=job.pk, kind=one["kind"], object_uuid=UUID(one["uuid"]))
            for job in planned
            for one in job.resources
        ]
    )
    announce_work(planned)
    for job in planned:
        if job.is_leaf:
            enqueue(job.pk)
    return planned[0]


def plan(
    spec: JobSpec, owner: User, tree_id: int, parent: Job | None = None, left: int = 1
) -> Iterator[Job]:
    """Yield the jobs of a tree, parents first, with their places in it."""
    job = Job(
        owner=owner,
        parent=parent,
        operation=spec.operation,
        params=spec.params,
        resources=[resource.as_json() for resource in spec.resources],
        is_internal=get_operation(spec.operation).is_internal,
        weight=spec.weight,
        lane=spec.lane,
        verified=0 if spec.verify else None,
        events=[event(EventKind.SUBMITTED, f"Submitted by {owner}.")],
        tree_id=tree_id,
        level=parent.level + 1 if parent else 0,
        lft=left,
        rght=left + 2 * size_of(spec) - 1,
    )
    yield job
    left += 1
    for child in spec.children:
        yield from plan(child, owner, tree_id, job, left)
        left += 2 * size_of(child)


def give_turns(jobs: list[Job], turn: int) -> None:
    """Give each leaf that users see a turn of its own, from `turn` on; inner jobs have that of
    their last leaf.
    """
    if jobs[0].is_internal:
        return
    for number, job in enumerate(job for job in jobs if job.is_leaf):
        job.turn = turn + number
    for job in jobs:
        below = [leaf.turn for leaf in jobs if job.lft < leaf.lft < job.rght]
        job.turn = max([job.turn, *below])


def size_of(spec: JobSpec) -> int:
    """Return the number of jobs in a tree."""
    return 1 + sum(size_of(child) for child in spec.children)


@transaction.atomic
def cancel_job(uuid: UUID, by: User) -> Job:
    """End a job and all below it that is unfinished; the work stops within a second or two.

    Operators may cancel the jobs of others. A job that is cancelled already stays so.

    Raises:
        Missing: the user has no such job.
        Refused: it has ended otherwise, or is not one that users see.
    """
    job = lock_job(uuid, by)
    if job.state == Job.State.CANCELLED:
        return job
    if "cancel" not in job.allowed_actions:
        raise Refused(f"The job has ended already, with {job.state}.", "state")
    endings.cancel(job)
    logger.info("cancelled", extra={"job": str(uuid), "by": str(by)})
    return Job.objects.get(pk=uuid)


@after_asking
@transaction.atomic
def retry_job(uuid: UUID, by: User) -> Job:
    """Let what did not succeed in a failed or cancelled tree run again, from where it can go on.

    Raises:
        Missing: the user has no such job.
        Refused: it is no such root, or its objects are not there any more.
        BackendUnavailable: there is no room for the work.
    """
    root = lock_job(uuid, by)
    if "retry" not in root.allowed_actions:
        raise Refused(refusal_to_retry(root), "state")
    again = list(Job.objects.inside(root).exclude(state=Job.State.SUCCESS).order_by("lft"))
    endings.lock_resources(again)
    give_turns(again, next_place(root.owner).turn)
    for job in again:
        get_operation(job.operation).revive(job)
        job.revive(str(by))
        if job.is_leaf:
            enqueue(job.pk)
    logger.info("retried", extra={"job": str(uuid), "by": str(by)})
    return Job.objects.get(pk=uuid)


def refusal_to_retry(job: Job) -> str:
    if job.parent_id and job.is_finished:
        return f"Only a whole tree is retried: retry {job.get_root().pk}."
    return f"Only a job that failed or was cancelled can be retried; this one is {job.state}."


def lock_job(uuid: UUID, by: User) -> Job:
    """Return a job that the user may steer, as it is once its tree is locked.

    Raises:
        Missing: the user has no such job.
    """
    jobs = Job.objects.visible() if by.is_staff else Job.objects.visible().filter(owner=by)
    try:
        job = jobs.get(pk=uuid)
        get_operation(job.operation).lock(job)
        endings.lock_tree(job)
        return Job.objects.get(pk=uuid)
    except Job.DoesNotExist:  # or not any more: a purge was faster
        raise Missing("There is no such job.") from None


@transaction.atomic
def mark_gone(kind: str, uuid: UUID) -> None:
    """Note that an object was deleted: its jobs stay, with its name, and no longer show it."""
    linked = (
        Job.objects.linked_to(kind, [uuid])
        .order_by("pk")
        .select_for_update(of=("self",), no_key=True)
    )
    for job in linked:
        for resource in job.resources:
            resource["is_gone"] |= (resource["kind"], resource["uuid"]) == (kind, str(uuid))
        Job.objects.filter(pk=job.pk).update(resources=job.resources)
        announce_job(job)
