"""The job, its tree, and the moves between its states."""

import uuid
from collections.abc import Iterable
from typing import Any, ClassVar, NamedTuple

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Now
from django.utils import timezone
from mptt.models import MPTTModel, TreeForeignKey

from jobs.exceptions import LeaseLost
from jobs.querysets import JobLinkQuerySet, JobManager

ALMOST_DONE = 99  # percent; 100 is only for a job whose success is committed
LEAST_WEIGHT = 64 * 1024  # bytes that a job counts for in its parent's mean, though it moves none


class Reported(NamedTuple):
    """What a worker tells of its work.

    `bytes_done` have been moved; below the offset `cursor` all is durable.
    """

    bytes_done: int
    cursor: int
    method: str


class Job(MPTTModel):
    """A long piece of work, or the sum of several, in a tree that is built whole and never changed.

                     claim                 end
        started ───────────▶ started ───────────▶ success | failed | cancelled
        (waiting)  ◀───────── (leased)
                    release,
                    lease stale

    Leaves do work. The worker that claims one holds its lease: `report`, `release` and `end` are
    single UPDATEs that also ask for the lease's token, and no row means that the job is no longer
    this worker's (`LeaseLost`). Inner jobs follow when the last child ends (`end_with_children`).
    No worker ever calls `save()`.
    """

    class State(models.TextChoices):
        """`started` covers waiting and running; the others are final."""

        STARTED = "started"
        SUCCESS = "success"
        FAILED = "failed"
        CANCELLED = "cancelled"

    FINISHED: ClassVar[tuple[State, ...]] = (State.SUCCESS, State.FAILED, State.CANCELLED)

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    parent = TreeForeignKey(
        "self", null=True, blank=True, related_name="children", on_delete=models.CASCADE
    )
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    operation = models.CharField(max_length=64)
    params = models.JSONField(default=dict)
    resources = models.JSONField(
        default=list, help_text="kind, uuid and name of each object; is_gone once it was deleted"
    )
    is_internal = models.BooleanField(default=False)
    state = models.CharField(max_length=9, choices=State.choices, default=State.STARTED)
    error = models.TextField(blank=True, default="")

    weight = models.PositiveBigIntegerField("bytes to move", default=0)
    bytes_done = models.PositiveBigIntegerField(default=0)
    cursor = models.PositiveBigIntegerField("offset below which all is durable", default=0)
    method = models.CharField("how the bytes are moved", max_length=16, blank=True, default="")

    attempts = models.PositiveIntegerField(default=0)
    lease_token = models.UUIDField(null=True, blank=True)
    worker = models.CharField(max_length=128, blank=True, default="")
    heartbeat_at = models.DateTimeField(null=True, blank=True)

    created = models.DateTimeField(default=timezone.now)
    last_modified = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = JobManager()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            # Two trees with one number would show one owner the sub-jobs of another.
            models.UniqueConstraint(
                fields=["tree_id"], condition=Q(parent=None), name="one_root_per_tree"
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["tree_id", "lft"], name="job_tree"),
            models.Index(
                fields=["owner", "-last_modified", "uuid"],
                condition=Q(parent=None, is_internal=False),
                name="job_list",
            ),
            models.Index(
                fields=["heartbeat_at"], condition=Q(state="started"), name="job_unfinished"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.uuid}"

    @property
    def is_finished(self) -> bool:
        return self.state in self.FINISHED

    @property
    def is_leaf(self) -> bool:
        return bool(self.rght == self.lft + 1)

    @property
    def progress(self) -> int:
        """Percent, 0 to 100: by bytes really written, and 100 only with success."""
        if self.state == self.State.SUCCESS:
            return 100
        return min(ALMOST_DONE, int(self.share_done() * 100))

    @property
    def sub_jobs(self) -> list["Job"]:
        """The jobs directly below; asks nothing of the database after `with_trees`."""
        return [] if self.is_leaf else list(self.get_children())

    def share_done(self) -> float:
        """Return how much of the work is done, 0 to 1; an inner job's is its children's mean."""
        if self.state == self.State.SUCCESS:
            return 1.0
        if self.is_leaf:
            return min(1.0, self.bytes_done / self.weight) if self.weight else 0.0
        total = sum(child.share_weight() for child in self.sub_jobs)
        done = sum(child.share_weight() * child.share_done() for child in self.sub_jobs)
        return done / total

    def share_weight(self) -> int:
        """Return the bytes that this job counts for in its parent's mean."""
        if self.is_leaf:
            return max(self.weight, LEAST_WEIGHT)
        return sum(child.share_weight() for child in self.sub_jobs)

    # --- moves --------------------------------------------------------------------------------

    def claim(self, worker: str) -> bool:
        """Take the lease under a fresh token, and read the row if that worked.

        False when another worker holds it, it has ended, or there is no such leaf.
        """
        token = uuid.uuid4()
        claimed = Job.objects.claimable().filter(pk=self.pk)
        rows = claimed.update(
            lease_token=token,
            worker=worker,
            heartbeat_at=Now(),
            claimed_at=Now(),
            last_modified=Now(),
            attempts=F("attempts") + 1,
        )
        if rows:
            self.refresh_from_db()
            self._state.adding = False  # a worker begins with no more than the key
        return bool(rows and self.lease_token == token)

    def report(self, bytes_done: int, cursor: int, method: str) -> None:
        """Write progress; the same statement renews the lease. `bytes_done` never goes back.

        Raises:
            LeaseLost: the job was given to another worker, or has ended.
        """
        self.update_leased(
            bytes_done=Greatest(F("bytes_done"), bytes_done),
            cursor=cursor,
            method=method,
            heartbeat_at=Now(),
        )

    def release(self) -> None:
        """Give the lease back, so that the job waits again; the attempt does not count.

        Raises:
            LeaseLost: the job was given to another worker, or has ended.
        """
        self.update_leased(
            lease_token=None, heartbeat_at=None, worker="", attempts=F("attempts") - 1
        )

    def end(self, state: State, error: str = "", reported: "Reported | None" = None) -> None:
        """Finish a leased job: state, times and progress in one statement.

        Raises:
            LeaseLost: the job was given to another worker, or has ended.
        """
        last = reported or Reported(self.bytes_done, self.cursor, self.method)
        moved = Greatest(F("bytes_done"), last.bytes_done)
        self.update_leased(
            state=state,
            error=error,
            bytes_done=F("weight") if state == self.State.SUCCESS else moved,
            cursor=last.cursor,
            method=last.method,
            lease_token=None,
            finished_at=Now(),
        )
        self.state, self.error = state, error

    def update_leased(self, **values: Any) -> None:
        """Change the row if it is still unfinished and leased under this instance's token."""
        leased = Job.objects.unfinished().filter(lease_token__isnull=False)
        mine = leased.filter(pk=self.pk, lease_token=self.lease_token)
        if not mine.update(last_modified=Now(), **values):
            raise LeaseLost(f"{self} is no longer leased under {self.lease_token}")

    def end_with_children(self) -> bool:
        """Finish an inner job whose children all have; False when one is still at work.

        The caller holds the lock of the tree's root, so that two children that end at the same
        moment see each other.
        """
        children = list(self.children.order_by("lft").values_list("state", "error"))
        states = {state for state, _ in children}
        if self.State.STARTED in states:
            return False
        reasons = [error for state, error in children if state == self.State.FAILED]
        values = {"state": outcome(states), "error": next(iter(reasons), "")}
        unfinished = Job.objects.unfinished().filter(pk=self.pk)
        ended = unfinished.update(finished_at=Now(), last_modified=Now(), **values)
        self.refresh_from_db()
        return bool(ended)


def outcome(states: Iterable[str]) -> Job.State:
    """Return the state of a job whose children ended in these."""
    states = set(states)
    if states <= {Job.State.SUCCESS}:
        return Job.State.SUCCESS
    if Job.State.CANCELLED in states and Job.State.FAILED not in states:
        return Job.State.CANCELLED
    return Job.State.FAILED


class JobLink(models.Model):
    """Finds the jobs of an object: what `Job.resources` shows, the other way round."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="links")
    kind = models.CharField(max_length=32)
    object_uuid = models.UUIDField()

    objects: ClassVar[Any] = JobLinkQuerySet.as_manager()

    class Meta:
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["kind", "object_uuid"], name="job_link_object")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_uuid}"


class WorkedOn:
    """Mixed into a model whose `status` its actions and jobs move."""

    objects: ClassVar[Any]
    pk: Any
    status: Any

    def become(self, status: str, *expected: str, **values: Any) -> bool:
        """Move to a status if the row is in one of the expected ones; False when it is not."""
        row = type(self).objects.filter(pk=self.pk, status__in=expected)
        moved = bool(row.update(status=status, **values))
        if moved:
            for name, value in {"status": status, **values}.items():
                setattr(self, name, value)
        return moved
