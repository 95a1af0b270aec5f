"""Jobs as pages show them: in words and numbers that are ready to be read.

A row has a frame, which seldom changes and holds all that can be clicked, and figures, which
change while the job runs. Pages swap the two by themselves (`cloudjobs.pages.live`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import NoReverseMatch, reverse

from cloudjobs.pages.live import Part
from cloudjobs.pages.measures import duration_text, moved_text, rate_text
from jobs.models import Job
from jobs.roll_up import walk
from jobs.runtime import is_running, live_rate, mean_rate, seconds_run, time_left

WORDS = {
    "waiting": "Waiting",
    "running": "Running",
    "success": "Succeeded",
    "failed": "Failed",
    "cancelled": "Cancelled",
}


@dataclass(frozen=True)
class ShownObject:
    """A drive or server that a job works on; one that is gone has no page any more."""

    kind: str
    uuid: str
    name: str
    is_gone: bool

    @property
    def url(self) -> str:
        try:
            return "" if self.is_gone else reverse(f"{self.kind}:detail", args=[self.uuid])
        except NoReverseMatch:
            return ""


@dataclass(frozen=True)
class Figures:
    """What changes while a job runs; `compared` is empty for a job that is not verified."""

    state: str
    progress: int
    moved: str
    compared: str
    is_comparing: bool
    rate: str
    left: str
    took: str

    @property
    def word(self) -> str:
        return WORDS[self.state]

    @property
    def is_over(self) -> bool:
        return self.state in Job.FINISHED


@dataclass(frozen=True)
class Frame:
    """What a job is, and what can be done with it."""

    uuid: str
    number: int
    level: int
    verb: str
    objects: tuple[ShownObject, ...]
    starter: str
    created: datetime
    actions: tuple[str, ...]
    error: str
    leaves: int

    @property
    def title(self) -> str:
        """The job in plain words, for labels: `Clone drive disk → disk_1`."""
        return f"{self.verb} {' → '.join(one.name for one in self.objects)}".strip()

    @property
    def url(self) -> str:
        return reverse("jobs:detail", args=[self.uuid])


@dataclass(frozen=True)
class JobRow:
    """One line: frame and figures."""

    frame: Frame
    figures: Figures


@dataclass(frozen=True)
class JobGroup:
    """A job as it stands in a list: its own row, and those of all below it if it is open.

    `toggle` is the address that opens or closes it. Without a head only what is below is shown.
    """

    rows: tuple[JobRow, ...]
    is_open: bool
    toggle: str = ""
    can_select: bool = False
    has_head: bool = True

    @property
    def head(self) -> JobRow:
        return self.rows[0]

    def parts(self, inside: str = "") -> Iterator[Part]:
        """Yield the group's frame, and the figures of each of its rows."""
        name = f"job-{self.head.frame.uuid}"
        frame = (self.is_open, self.toggle, [row.frame for row in self.rows])
        yield Part(name, "jobs/job_group.html", self, key=frame, inside=inside)
        for row in self.rows:
            figures = f"figures-{row.frame.uuid}"
            yield Part(figures, "jobs/job_figures.html", row, row.figures, inside=name)


def group_of(
    job: Job, is_open: bool = False, toggle: str = "", can_select: bool = False
) -> JobGroup:
    """Return the group of a job whose tree is fetched."""
    shown = walk([job]) if is_open else [job]
    return JobGroup(tuple(row_of(node) for node in shown), is_open, toggle, can_select)


def group_below(job: Job) -> JobGroup:
    """Return all below a job whose tree is fetched, without the job itself."""
    rows = tuple(row_of(node) for node in walk(job.sub_jobs))
    return JobGroup(rows, is_open=True, has_head=False)


def row_of(job: Job) -> JobRow:
    return JobRow(frame_of(job), figures_of(job))


def frame_of(job: Job) -> Frame:
    return Frame(
        uuid=str(job.pk),
        number=job.tree_id,
        level=job.level,
        verb=verb_of(job.operation),
        objects=tuple(shown_object(one) for one in job.resources),
        starter=str(job.owner),
        created=job.created,
        actions=tuple(job.allowed_actions),
        error=job.error,
        leaves=0 if job.is_leaf else sum(node.is_leaf for node in walk([job])),
    )


def shown_object(resource: dict[str, Any]) -> ShownObject:
    return ShownObject(resource["kind"], resource["uuid"], resource["name"], resource["is_gone"])


def verb_of(operation: str) -> str:
    """Return an operation in words: `drive_clone` is `Clone drive`."""
    kind, _, verb = operation.rpartition("_")
    return f"{verb.capitalize()} {kind.replace('_', ' ')}".strip()


def figures_of(job: Job) -> Figures:
    """Return the figures of a job whose tree is fetched; asks nothing of the database."""
    leaves = [node for node in walk([job]) if node.is_leaf]
    done, total = sum(leaf.bytes_done for leaf in leaves), sum(leaf.weight for leaf in leaves)
    rate = mean_rate(leaves) if job.is_finished else live_rate(leaves)
    left = time_left(job, leaves, rate)
    return Figures(
        state=state_of(job, leaves),
        progress=job.progress,
        moved=moved_text(done, total),
        compared=compared_text(leaves),
        is_comparing=job.is_verifying,
        rate=rate_text(rate) if rate else "",
        left="" if left is None else f"{duration_text(left)} left",
        took=took_text(leaves),
    )


def state_of(job: Job, leaves: Iterable[Job]) -> str:
    """Return the job's state; one that has not ended is waiting until a worker has a part of it."""
    if job.is_finished:
        return str(job.state)
    return "running" if any(is_running(leaf) for leaf in leaves) else "waiting"


def compared_text(leaves: Iterable[Job]) -> str:
    """Return how much of what is to be verified was compared with its source: `96 of 256 MiB`."""
    wanted = [leaf for leaf in leaves if leaf.verified is not None]
    total = sum(leaf.weight for leaf in wanted)
    return moved_text(sum(leaf.bytes_compared() for leaf in wanted), total)


def took_text(leaves: Iterable[Job]) -> str:
    """Return how long the leaves of a job have been running, or ran; nothing before they began."""
    seconds = seconds_run(leaves)
    return "" if seconds is None else duration_text(seconds)
