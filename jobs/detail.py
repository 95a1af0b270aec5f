"""What the page of one job is made of; each part is swapped by itself when it changes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404
from mptt.utils import get_cached_trees

from cloudjobs.pages.live import Part
from jobs.drawing import speed_of, timeline_of
from jobs.models import Job
from jobs.roll_up import walk
from jobs.rows import Figures, JobRow, group_below, row_of, verb_of
from jobs.runtime import runtime_of

MOST_EVENTS = 200
DOING = {
    "copying": "The data is being copied.",
    "finishing": "The data is copied; the last of it is being made durable.",
    "verifying": "The copy is read from the disk again and compared with its source.",
    "waiting": "The next free worker takes it.",
    "success": "All data is copied and safe on the disk.",
    "failed": "It failed; the reason stands below.",
    "cancelled": "It was cancelled.",
}
METHODS = {
    "reflink": "reflink (blocks are shared)",
    "direct": "direct (past the page cache)",
    "copy_file_range": "copy_file_range (in the kernel)",
    "read_write": "reads and writes",
}


@dataclass(frozen=True)
class Facts:
    """What else is known of a job: words and times, each with its label."""

    words: tuple[tuple[str, str], ...]
    times: tuple[tuple[str, datetime | None], ...]


@dataclass(frozen=True)
class Progress:
    """The figures of a job, large, and what it does; while it waits, its place and why."""

    title: str
    figures: Figures
    place: int | None
    doing: str


@dataclass(frozen=True)
class Failure:
    """Why a job failed, what can be done, and the part of it that failed first."""

    message: str
    hint: str
    code: str
    culprit: JobRow | None


@dataclass(frozen=True)
class Event:
    """A line of the log; `part` names the sub-job that it tells of."""

    at: datetime
    kind: str
    text: str
    worker: str
    part: str


@dataclass(frozen=True)
class EventLog:
    """What happened, the newest first."""

    events: tuple[Event, ...]
    is_cut: bool


def fetch_tree(job: Job) -> Job:
    """Return the job with all below it, and with their logs: one query.

    Raises:
        Http404: it is not there any more.
    """
    nodes = Job.objects.inside(job).select_related("owner").order_by("lft")
    trees: list[Job] = get_cached_trees(nodes)
    if not trees:
        raise Http404("It was purged a moment ago.")
    return trees[0]


def detail_parts(job: Job, *, for_staff: bool = False) -> list[Part]:
    """Return the parts of a job's page; the job comes from `fetch_tree`."""
    row, runtime = row_of(job), runtime_of(job)
    tree = [] if job.is_leaf else list(group_below(job).parts())
    return [
        Part("job-head", "jobs/job_head.html", row, key=(row.frame, row.figures.state)),
        Part("job-progress", "jobs/job_progress.html", progress_of(row, runtime)),
        Part("job-failure", "jobs/job_failure.html", failure_of(job, runtime)),
        Part("job-facts", "jobs/job_facts.html", facts_of(job, runtime, for_staff)),
        Part("speed-plot", "jobs/speed_plot.html", speed_of(job)),
        Part("timeline", "jobs/timeline.html", timeline_of(job)),
        Part("event-log", "jobs/event_log.html", log_of(job)),
        *tree,
    ]


def progress_of(row: JobRow, runtime: dict[str, Any]) -> Progress:
    queue = runtime["queue"] or {"position": None, "reason": DOING.get(runtime["phase"], "")}
    return Progress(row.frame.title, row.figures, queue["position"], queue["reason"])


def facts_of(job: Job, runtime: dict[str, Any], for_staff: bool) -> Facts:
    """Return what is known; what will be known keeps its place, what never was has no line.

    Staff sees by which request the lines of the log are found.
    """
    methods = [METHODS.get(name, name) for name in runtime["method"].split(", ") if name]
    attempts = runtime["attempts"]
    later = "" if job.is_finished else "–"
    words = (
        ("Worker", runtime["worker"] or later),
        ("Method", ", ".join(methods) or later),
        ("Verified", verified_text(job)),
        ("Attempts", str(attempts) if attempts > 1 else ""),
        ("Started by", str(job.owner)),
        ("UUID", str(job.pk)),
        ("Request", (for_staff and job.request_id) or ""),
    )
    times = (
        ("Submitted", job.created),
        ("Began", runtime["started_at"]),
        ("Ended", job.finished_at),
    )
    return Facts(
        tuple((label, text) for label, text in words if text),
        tuple((label, at) for label, at in times if at or (later and label == "Began")),
    )


def verified_text(job: Job) -> str:
    """Return whether all that was to be compared with its source was; nothing if none was to be."""
    leaves = [node for node in walk([job]) if node.is_leaf]
    wanted = [leaf for leaf in leaves if leaf.verified is not None]
    if not wanted:
        return ""
    if any(leaf.state != Job.State.SUCCESS for leaf in wanted):
        return "no" if job.is_finished else "not yet"
    return "yes" if len(wanted) == len(leaves) else f"{len(wanted)} of {len(leaves)} parts"


def failure_of(job: Job, runtime: dict[str, Any]) -> Failure | None:
    """Return why the job failed, or None."""
    error = runtime["error"]
    if not error:
        return None
    below = [node for node in walk(job.sub_jobs) if node.is_leaf]
    culprit = next((node for node in below if node.state == Job.State.FAILED), None)
    return Failure(
        message=error["message"],
        hint=error["hint"],
        code=error["code"],
        culprit=row_of(culprit) if culprit else None,
    )


def log_of(job: Job) -> EventLog:
    """Return the newest events of the job and of all below it."""
    events = [event_of(entry, node, job) for node in walk([job]) for entry in node.events]
    events.sort(key=lambda event: event.at, reverse=True)
    return EventLog(tuple(events[:MOST_EVENTS]), len(events) > MOST_EVENTS)


def event_of(entry: dict[str, Any], node: Job, job: Job) -> Event:
    return Event(
        at=datetime.fromisoformat(entry["at"]),
        kind=entry["kind"],
        text=entry["text"],
        worker=entry.get("worker", ""),
        part="" if node is job else part_name(node),
    )


def part_name(node: Job) -> str:
    """Return what a sub-job is called among its siblings: the object that it makes."""
    names = [one["name"] for one in node.resources]
    return names[-1] if names else verb_of(node.operation)
