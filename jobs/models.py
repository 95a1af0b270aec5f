"""The job, its tree, and the moves between its states."""

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Now
from django.utils import timezone
from mptt.models import MPTTModel, TreeForeignKey

from jobs import moves
from jobs.announcing import announce_job, announce_work
from jobs.events import EventKind, event
from jobs.exceptions import LeaseLost
from jobs.kept_answers import KeptAnswer
from jobs.links import JobLink
from jobs.presence import Cluster
from jobs.querysets import JobManager
from jobs.reports import ENDINGS, NO_FAILURE, Failure, Reported
from jobs.roll_up import RolledUp, outcome

__all__ = ["Cluster", "Job", "JobLink", "KeptAnswer"]


class Job(RolledUp, MPTTModel):
    """A long piece of work, or the sum of several, in a tree that is built whole and never changed.

                     claim                 end
        started ───────────▶ started ───────────▶ success | failed | cancelled
        (waiting)  ◀───────── (leased)                        │         │
           ▲        release,      │ end_from_outside          │         │
           │        lease stale   └────────────▶ cancelled    │         │
           └───────────────────── revive ─────────────────────┴─────────┘

    Leaves do work. The worker that claims one holds its lease: `report`, `release` and `end` are
    single UPDATEs that also ask for the lease's token, and no row means that the job is no longer
    this worker's (`LeaseLost`). A person who cancels a job, and whoever finds that its workers die
    of it, ends it from outside: the lease is void from then on. Inner jobs follow when the last
    child ends (`end_with_children`). No worker ever calls `save()`.
    """

    class State(models.TextChoices):
        """`started` covers waiting and running; the others are final."""

        STARTED = "started"
        SUCCESS = "success"
        FAILED = "failed"
        CANCELLED = "cancelled"

    FINISHED: ClassVar[tuple[State, ...]] = (State.SUCCESS, State.FAILED, State.CANCELLED)

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Its index is without the roots: SQLite would take the one it makes itself for any question
    # about roots, and so read all of them.
    parent = TreeForeignKey(
        "self",
        null=True,
        blank=True,
        related_name="children",
        on_delete=models.CASCADE,
        db_index=False,
    )
    # As the tree library has it, but for the index: `job_tree` begins with it.
    tree_id = models.PositiveIntegerField(editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    operation = models.CharField(max_length=64)
    params = models.JSONField(default=dict)
    resources = models.JSONField(
        default=list, help_text="kind, uuid and name of each object; is_gone once it was deleted"
    )
    is_internal = models.BooleanField(default=False)
    turn = models.PositiveBigIntegerField("round in which it is run", default=0, editable=False)
    lane = models.CharField(
        "what only so many jobs may use at once", max_length=64, blank=True, default=""
    )
    state = models.CharField(max_length=9, choices=State.choices, default=State.STARTED)
    error = models.TextField(blank=True, default="")
    error_code = models.CharField(max_length=32, blank=True, default="")
    error_hint = models.TextField(blank=True, default="")

    weight = models.PositiveBigIntegerField("bytes to move", default=0)
    bytes_done = models.PositiveBigIntegerField(default=0)
    cursor = models.PositiveBigIntegerField("offset below which all is durable", default=0)
    verified = models.PositiveBigIntegerField(
        "bytes compared with their source",
        null=True,
        blank=True,
        help_text="none if they are not to be",
    )
    method = models.CharField("how the bytes are moved", max_length=16, blank=True, default="")

    rate = models.PositiveBigIntegerField("bytes per second", null=True, blank=True)
    samples = models.JSONField(default=list, help_text="pairs of time and bytes done by then")
    events = models.JSONField(default=list, help_text="what happened to the job, oldest first")

    attempts = models.PositiveIntegerField(default=0)
    fruitless = models.PositiveIntegerField(
        "attempts since the cursor last moved", default=0, editable=False
    )
    lease_token = models.UUIDField(null=True, blank=True)
    worker = models.CharField(max_length=128, blank=True, default="")
    heartbeat_at = models.DateTimeField(null=True, blank=True)

    created = models.DateTimeField(default=timezone.now)
    last_modified = models.DateTimeField(default=timezone.now)
    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField("first claimed at", null=True, blank=True)
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
            models.Index(fields=["parent"], condition=Q(parent__isnull=False), name="job_children"),
            models.Index(
                fields=["owner", "-last_modified", "uuid"],
                condition=Q(parent=None, is_internal=False),
                name="job_list",
            ),
            # With all that a list asks for in it, SQLite counts in the index alone.
            models.Index(
                fields=["owner", "-created", "-uuid", "parent", "is_internal"],
                condition=Q(parent=None, is_internal=False),
                name="job_page",
            ),
            models.Index(
                fields=["owner", "state", "-created", "-uuid"],
                condition=Q(parent=None, is_internal=False),
                name="job_page_by_state",
            ),
            models.Index(
                fields=["-is_internal", "turn", "queued_at"],
                condition=Q(state="started"),
                name="job_unfinished",
            ),
            models.Index(
                fields=["owner", "-turn"],
                condition=Q(state="started", is_internal=False),
                name="job_turns",
            ),
            models.Index(
                fields=["owner", "lane"],
                condition=Q(state="started", lease_token__isnull=False),
                name="job_leased",
            ),
            # The bytes that waiting jobs will need, summed up by SQLite in the index alone.
            models.Index(
                fields=["lane", "weight", "bytes_done", "state", "lease_token"],
                condition=Q(state="started", lease_token=None),
                name="job_waiting",
            ),
            models.Index(
                fields=["finished_at"],
                condition=Q(parent=None, finished_at__isnull=False),
                name="job_history",
            ),
            models.Index(
                fields=["owner", "-finished_at"],
                condition=Q(parent=None, is_internal=False, state="failed"),
                name="job_failures",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.uuid}"

    @property
    def is_finished(self) -> bool:
        return self.state in self.FINISHED

    @property
    def allowed_actions(self) -> tuple[str, ...]:
        """What its owner may do with the job now: cancel it, or retry the whole tree."""
        if self.is_internal or self.state == self.State.SUCCESS:
            return ()
        if not self.is_finished:
            return ("cancel",)
        return ("retry",) if self.parent_id is None else ()

    @property
    def request_id(self) -> str | None:
        """The id of the last request that submitted or retried it, as the log of the web has it."""
        told = (one["request"] for one in reversed(self.events) if "request" in one)
        return next(told, None)

    # --- moves --------------------------------------------------------------------------------

    def claim(self, worker: str) -> bool:
        """Take the lease under a fresh token; the instance has to be as the row is.

        False when another worker holds it, it has ended, or there is no such leaf.
        """
        token = uuid.uuid4()
        events = [*self.events, *self.events_of_claim(worker)]
        rows = moves.claim(Job, pk=self.pk, token=token, worker=worker, events=events)
        if rows:
            announce_job(self)
            self.events, self.lease_token, self.worker = events, token, worker
            self.attempts, self.fruitless = self.attempts + 1, self.fruitless + 1
        return bool(rows)

    def events_of_claim(self, worker: str) -> list[dict[str, str]]:
        """Return what a claim adds to the log; there may be a worker before that fell silent."""
        begun = event(EventKind.CLAIMED, f"Attempt {self.attempts + 1} began.", worker)
        if self.lease_token is None:
            return [begun]
        return [event(EventKind.LOST, "The worker was not heard of any more.", self.worker), begun]

    def report(self, reported: Reported) -> None:
        """Write progress; the same statement renews the lease.

        `bytes_done` and `verified` never go back.

        Raises:
            LeaseLost: the job was given to another worker, or has ended.
        """
        got_on = {"fruitless": 0} if reported.cursor > self.cursor else {}
        verified = None if self.verified is None else max(self.verified, reported.verified)
        self.update_leased(
            bytes_done=Greatest(F("bytes_done"), reported.bytes_done),
            cursor=reported.cursor,
            verified=verified,
            method=reported.method,
            rate=reported.rate,
            samples=reported.samples or self.samples,
            heartbeat_at=Now(),
            **got_on,
        )
        announce_job(self)
        self.bytes_done = max(self.bytes_done, reported.bytes_done)
        self.cursor, self.method, self.verified = reported.cursor, reported.method, verified
        self.samples = reported.samples or self.samples

    def release(self) -> None:
        """Give the lease back, so that the job waits again; the attempt does not count.

        Raises:
            LeaseLost: the job was given to another worker, or has ended.
        """
        back = event(EventKind.GIVEN_BACK, "The workers were stopped; it goes on.", self.worker)
        self.update_leased(
            lease_token=None,
            heartbeat_at=None,
            worker="",
            rate=None,
            attempts=F("attempts") - 1,
            fruitless=Greatest(F("fruitless"), 1) - 1,
            events=[*self.events, back],
        )
        announce_job(self)

    def end(
        self, state: State, failure: Failure = NO_FAILURE, reported: Reported | None = None
    ) -> None:
        """Finish a leased job: state, times and progress in one statement.

        Raises:
            LeaseLost: the job was given to another worker, or has ended.
        """
        last = reported or Reported(self.bytes_done, self.cursor, self.method)
        ended = moves.end(
            Job,
            pk=self.pk,
            token=self.lease_token,
            bytes_done=self.weight if state == self.State.SUCCESS else last.bytes_done,
            cursor=last.cursor,
            method=last.method,
            samples=last.samples or self.samples,
            **self.told(state, failure, self.worker),
        )
        self.require_lease(ended)
        self.state, self.error = state, failure.message
        announce_work([self])

    def end_from_outside(self, state: State, failure: Failure = NO_FAILURE) -> bool:
        """Finish an unfinished leaf, leased or not; False when it has ended already.

        The instance has to be as the row is: the caller holds the lock of the tree's root.
        """
        unfinished = Job.objects.unfinished().filter(pk=self.pk)
        ended = unfinished.update(**self.ending(state, failure))
        self.state, self.error = state, failure.message
        announce_work([self] if ended else [])
        return bool(ended)

    def ending(self, state: State, failure: Failure) -> dict[str, Any]:
        """Return the columns that every end without a worker sets."""
        return {
            "rate": None,
            "lease_token": None,
            "finished_at": Now(),
            "last_modified": Now(),
            **self.told(state, failure),
        }

    def told(self, state: State, failure: Failure, worker: str = "") -> dict[str, Any]:
        """Return the columns that tell how a job ended."""
        text = failure.message or ENDINGS[state]
        return {
            "state": state,
            "error": failure.message,
            "error_code": failure.code,
            "error_hint": failure.hint,
            "events": [*self.events, event(EventKind(state), text, worker)],
        }

    def revive(self, by: str) -> None:
        """Let a job that did not succeed wait again; its progress is what it has kept.

        The caller holds the lock of the tree's root.
        """
        self.events.append(event(EventKind.RETRIED, f"Retried by {by}."))
        Job.objects.filter(pk=self.pk).exclude(state=self.State.SUCCESS).update(
            state=self.State.STARTED,
            error="",
            error_code="",
            error_hint="",
            finished_at=None,
            heartbeat_at=None,
            worker="",
            fruitless=0,
            started_at=None,
            weight=self.weight,
            cursor=self.cursor,
            bytes_done=self.bytes_done,
            verified=self.verified,
            samples=self.samples if self.cursor else [],
            method=self.method if self.cursor else "",
            params=self.params,
            resources=self.resources,
            events=self.events,
            turn=self.turn,
            queued_at=Now(),
            last_modified=Now(),
        )
        announce_work([self])

    def update_leased(self, **values: Any) -> None:
        """Change the row if it is still unfinished and leased under this instance's token."""
        mine = Job.objects.unfinished().filter(pk=self.pk, lease_token=self.lease_token)
        leased = mine.filter(lease_token__isnull=False)
        self.require_lease(leased.update(last_modified=Now(), **values))

    def require_lease(self, rows: int) -> None:
        """Raise LeaseLost if a statement that asked for the lease changed no row."""
        if not rows:
            raise LeaseLost(f"{self} is no longer leased under {self.lease_token}")

    def end_with_children(self) -> bool:
        """Finish an inner job whose children all have; False when one is still at work.

        The caller holds the lock of the tree's root, so that two children that end at the same
        moment see each other.
        """
        if self.children.unfinished().exists():
            return False
        told = ("state", "error", "error_code", "error_hint")
        ends = list(self.children.order_by("lft").values_list(*told))
        reasons = (Failure(*why) for state, *why in ends if state == self.State.FAILED)
        state = self.State(outcome(state for state, *_ in ends))
        values = self.ending(state, next(reasons, NO_FAILURE))
        ended = Job.objects.unfinished().filter(pk=self.pk).update(**values)
        self.refresh_from_db()
        announce_work([self] if ended else [])
        return bool(ended)
