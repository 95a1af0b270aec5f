"""`/`: what is going on, what failed lately, and how much room there is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from cloudjobs.pages.live import Live, Part, live_page, pace
from cloudjobs.pages.measures import size_text
from drives.models import Drive
from drives.storage import StorageError, StorageHost, all_hosts
from jobs.listing import (
    counts_by_state,
    failed_lately,
    newest_first,
    root_jobs,
    tab_counts,
    trees_of,
)
from jobs.rows import Frame, JobGroup, group_of, row_of
from jobs.views import chips_of

MOST_RUNNING = 10
MOST_FAILED = 5


@dataclass(frozen=True)
class Running:
    """The jobs that have not ended, with their trees open; `is_cut` if there are more."""

    groups: tuple[JobGroup, ...]
    is_cut: bool
    is_newcomer: bool


@dataclass(frozen=True)
class Failure:
    """A root job that failed, and when."""

    frame: Frame
    at: datetime


@dataclass(frozen=True)
class Failed:
    rows: tuple[Failure, ...]


@dataclass(frozen=True)
class Room:
    """The space of one storage host, in words and in percent."""

    name: str
    storage_type: str
    used: str
    free: str
    percent: int


@dataclass(frozen=True)
class Storage:
    rooms: tuple[Room, ...]


@login_required
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show the running jobs with their trees, the counts, the last failures and the storage."""
    user: Any = request.user
    running, failed = running_of(user), failed_of(user)
    counts, storage = counts_by_state(user), storage_of()
    chips = chips_of(counts)
    parts = [
        chips.as_part(),
        Part("running", "overview/running.html", running, key=frame_of(running)),
        *inside("running", running),
        Part("failed", "overview/failed.html", failed),
        Part("storage", "overview/storage.html", storage),
    ]
    live = Live(request.path, pace(len(running.groups)), **tab_counts(user, counts["started"]))
    return live_page(
        request,
        "overview/overview.html",
        live,
        parts,
        running=running,
        failed=failed,
        chips=chips,
        storage=storage,
    )


def frame_of(running: Running) -> Any:
    """Return what of the running jobs is not swapped job by job: which there are."""
    jobs = [group.head.frame.uuid for group in running.groups]
    return jobs, running.is_cut, running.is_newcomer


def inside(name: str, running: Running) -> list[Part]:
    """Return the parts of the running jobs; none comes twice when all of them are swapped."""
    return [part for group in running.groups for part in group.parts(inside=name)]


def running_of(user: Any) -> Running:
    """Return the newest jobs that have not ended."""
    unfinished = newest_first(root_jobs(user).unfinished())
    numbers = list(unfinished.values_list("tree_id", flat=True)[: MOST_RUNNING + 1])
    trees = trees_of(numbers[:MOST_RUNNING], user)
    groups = tuple(group_of(tree, is_open=not tree.is_leaf) for tree in trees)
    newcomer = not groups and not Drive.objects.owned_by(user).exists()
    return Running(groups, len(numbers) > MOST_RUNNING, newcomer)


def failed_of(user: Any) -> Failed:
    """Return the last failures of the last day, the last one first."""
    failed_at = dict(failed_lately(user).values_list("tree_id", "finished_at")[:MOST_FAILED])
    rows = [
        Failure(row_of(tree).frame, failed_at[tree.tree_id])
        for tree in trees_of([*failed_at], user)
    ]
    return Failed(tuple(sorted(rows, key=lambda row: row.at, reverse=True)))


def storage_of() -> Storage:
    return Storage(tuple(room_of(host) for host in all_hosts()))


def room_of(host: StorageHost) -> Room:
    """Return the space of a host; one that does not answer has none to show."""
    try:
        free, capacity = host.backend.free(), host.backend.capacity()
    except (StorageError, OSError):
        return Room(host.name, host.storage_type, "", "", 0)
    used = max(0, capacity - free)
    percent = round(100 * used / capacity) if capacity else 0
    return Room(host.name, host.storage_type, size_text(used), size_text(free), percent)
