"""How many jobs may run at once: of one user, and on one lane, such as a storage host.

What is over a limit waits, and those behind it go first. Internal jobs are not limited: they are
short, and somebody waits for each.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Q

from jobs import moves
from jobs.models import Job

CLAIMS = 0x636C61696D  # PostgreSQL's lock of those who count what runs before they claim

_lane_limits: list[Callable[[], dict[str, int]]] = []


def register_lane_limits(limits: Callable[[], dict[str, int]]) -> None:
    """Have lanes limited: `limits` tells how many jobs may run at once on each that has a limit."""
    if limits not in _lane_limits:
        _lane_limits.append(limits)


def lane_limits() -> dict[str, int]:
    return {lane: most for limits in _lane_limits for lane, most in limits().items()}


def is_limited() -> bool:
    return bool(settings.JOBS_PER_USER or lane_limits())


@dataclass(frozen=True)
class Full:
    """The users, by their keys, and the lanes that have as many jobs running as they may."""

    owners: frozenset[int] = frozenset()
    lanes: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.owners or self.lanes)

    def admits(self) -> Q:
        """Return the condition of a job that may run nevertheless."""
        return Q(is_internal=True) | ~Q(owner__in=self.owners) & ~Q(lane__in=self.lanes)


def full() -> Full:
    """Return what is full now: one query, and none while nothing is limited."""
    of_user, of_lane = settings.JOBS_PER_USER, lane_limits()
    if not is_limited():
        return Full()
    running = Job.objects.running().visible().order_by("owner", "lane")  # as the index has them
    running = list(running.values_list("owner", "lane"))
    owners = Counter(owner for owner, _ in running)
    lanes = Counter(lane for _, lane in running)
    return Full(
        frozenset(owner for owner, count in owners.items() if of_user and count >= of_user),
        frozenset(lane for lane, most in of_lane.items() if lanes[lane] >= most),
    )


def next_within_limits() -> Job | None:
    """Return the job that a free worker takes, locked, or None.

    Two who counted at the same time would take one job too many, so they count one after the other.
    """
    if is_limited():
        lock_claims()
    now_full = full()
    if not now_full:
        job: Job | None = moves.next_in_turn(Job)
        return job
    return moves.waiting_in_turn(Job.objects.filter(now_full.admits())).first()


def lock_claims() -> None:
    """Wait until no other worker is about to claim; SQLite's transactions do so anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CLAIMS])


def is_held_back(uuid: UUID) -> bool:
    """Does a job wait that may not run now? Its message then need not wake anybody."""
    now_full = full()
    return bool(now_full) and not Job.objects.filter(now_full.admits(), pk=uuid).exists()


def why_held_back(job: Job) -> str:
    """Return a sentence on why a job that waits may not run now, or nothing if it may."""
    now_full = full()
    if job.owner_id in now_full.owners:
        limit = f"running jobs per user, {settings.JOBS_PER_USER}"
    elif job.lane in now_full.lanes:
        limit = f"running jobs on {job.lane}, {lane_limits()[job.lane]}"
    else:
        return ""
    return f"The limit of {limit}, is reached; it goes on when one of them has ended."
