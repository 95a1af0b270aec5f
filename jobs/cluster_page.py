"""`/clusters/`: which clusters of workers there are, and what they do now; for operators.

Those that run, and those that fell silent and that none has followed on their host, have a card
each. What is past has a line each; but a host whose clusters fall silent again and again is named.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from cloudjobs.pages.live import CALM, Live, Part, live_page
from cloudjobs.pages.measures import duration_text, size_text
from jobs.listing import tab_counts
from jobs.models import Cluster, Job
from jobs.presence import FORGOTTEN_AFTER, GONE_AFTER
from jobs.rows import verb_of

MOST_CLUSTERS = 100
CLOCK_OFF_SECONDS = 2
CRASH_LOOP = 3  # clusters of one host that are gone; each is remembered for a day
STATES = {"running": "Running", "gone": "Gone", "stopped": "Stopped"}
ICONS = {"running": "success", "gone": "failed", "stopped": "off"}


@dataclass(frozen=True)
class Work:
    """A job that a worker has now."""

    uuid: str
    title: str
    owner: str
    worker: str
    progress: int
    claimed_at: datetime | None

    @property
    def url(self) -> str:
        return reverse("admin:jobs_job_change", args=[self.uuid])


@dataclass(frozen=True)
class ClusterRow:
    """A cluster; of one that runs, `clock` says by how much its clock is wrong, if it is.

    It `is_followed` once another began on its host after it was last heard of; `successor` is the
    name of such a one that runs, and of several the one that began first, whoever beat last.
    """

    uuid: str
    name: str
    host: str
    pid: int
    state: str
    workers: int
    version: str
    is_other_version: bool
    clock: str
    copied: str
    started_at: datetime
    heartbeat_at: datetime
    is_followed: bool
    successor: str
    works: tuple[Work, ...]

    @property
    def is_past(self) -> bool:
        """Does nobody have to look at it any more? Its workers have no job, and it was stopped or
        followed.
        """
        ended = self.state == "stopped" or (self.state == "gone" and self.is_followed)
        return ended and not self.works

    @property
    def word(self) -> str:
        return STATES[self.state]

    @property
    def icon(self) -> str:
        return ICONS[self.state]

    @property
    def tone(self) -> str:
        if self.state == "gone":
            return "waiting" if self.is_past else "failed"
        return "success" if self.state == "running" else "cancelled"

    def parts(self) -> Iterator[Part]:
        """Yield its frame, with the links; its signs of life; and how far each job is."""
        works = [(work.uuid, work.worker) for work in self.works]
        frame = (self.state, self.version, self.is_other_version, self.clock, works)
        name = f"cluster-{self.uuid}"
        yield Part(name, "jobs/cluster.html", self, key=frame, inside="clusters")
        life = (self.heartbeat_at, self.copied)
        yield Part(f"life-{self.uuid}", "jobs/cluster_life.html", self, key=life, inside=name)
        for work in self.works:
            yield Part(f"work-{work.uuid}", "jobs/work_progress.html", work, inside=name)


@dataclass(frozen=True)
class CrashLoop:
    """A host on which so many clusters fell silent within a day, the last one at this time."""

    host: str
    count: int
    last_at: datetime


@dataclass(frozen=True)
class Clusters:
    """All of them; `stray` are jobs whose cluster is not in the database."""

    rows: tuple[ClusterRow, ...]
    past: tuple[ClusterRow, ...]
    loops: tuple[CrashLoop, ...]
    stray: tuple[Work, ...]

    @property
    def running(self) -> int:
        return sum(row.state == "running" for row in self.rows)

    @property
    def workers(self) -> int:
        return sum(row.workers for row in self.rows if row.state == "running")

    def parts(self) -> Iterator[Part]:
        uuids = [row.uuid for row in self.rows]
        frame = (uuids, self.past, self.loops, self.running, self.workers, self.stray)
        yield Part("clusters", "jobs/clusters.html", self, key=frame)
        for row in self.rows:
            yield from row.parts()


@login_required
@require_safe
def clusters(request: HttpRequest) -> HttpResponse:
    """Show them to staff that may see jobs; to others there is no such page."""
    user: Any = request.user
    if not user.is_staff or not user.has_perm("jobs.view_job"):
        raise Http404
    shown = clusters_now()
    live = Live(request.path, CALM, **tab_counts(user))
    return live_page(request, "jobs/cluster_list.html", live, list(shown.parts()), clusters=shown)


def clusters_now() -> Clusters:
    """Return the clusters, those that run first, each with the jobs that its workers have; and
    those that are past, the last one first.
    """
    works = works_by_cluster()
    found = list(Cluster.objects.with_silence().order_by("-heartbeat_at")[:MOST_CLUSTERS])
    running = [one for one in found if state_of(one) == "running"]
    newest = max(running, key=lambda one: one.started_at, default=None)
    rows = [row_of(one, found, newest, works.pop(one.name, ())) for one in found]
    present = [row for row in rows if not row.is_past]
    present.sort(key=lambda row: (list(STATES).index(row.state), row.host, row.started_at))
    return Clusters(
        rows=tuple(present),
        past=tuple(row for row in rows if row.is_past),
        loops=tuple(crash_loops(rows)),
        stray=tuple(work for some in works.values() for work in some),
    )


def crash_loops(rows: list[ClusterRow]) -> Iterator[CrashLoop]:
    """Yield the hosts whose clusters fell silent again and again within a day.

    Older ones are forgotten by the purge, which nobody does where no cluster runs.
    """
    begin = timezone.now() - FORGOTTEN_AFTER
    gone = [row for row in rows if row.state == "gone" and row.heartbeat_at > begin]
    for host, count in Counter(row.host for row in gone).items():
        if count >= CRASH_LOOP:
            yield CrashLoop(host, count, max(row.heartbeat_at for row in gone if row.host == host))


def works_by_cluster() -> dict[str, tuple[Work, ...]]:
    """Return the jobs that workers have, by the names of their clusters."""
    works: dict[str, tuple[Work, ...]] = {}
    running = Job.objects.running().without_log().select_related("owner")
    for job in running.order_by("worker", "claimed_at"):
        name = job.worker.rpartition(":")[0]
        works[name] = (*works.get(name, ()), work_of(job))
    return works


def work_of(job: Job) -> Work:
    names = " → ".join(one["name"] for one in job.resources)
    return Work(
        uuid=str(job.pk),
        title=f"{verb_of(job.operation)} {names}".strip(),
        owner=str(job.owner),
        worker=job.worker.rpartition(":")[2],
        progress=job.progress,
        claimed_at=job.claimed_at,
    )


def row_of(cluster: Any, found: list[Any], newest: Any, works: tuple[Work, ...]) -> ClusterRow:
    """Return the row of a cluster; `newest` is the one of those that run that began last."""
    state = state_of(cluster)
    later = [one for one in found if one.host == cluster.host and began_after(one, cluster)]
    successors = [one for one in later if state_of(one) == "running"]
    first = min(successors, key=lambda one: (one.started_at, one.name), default=None)
    return ClusterRow(
        uuid=str(cluster.pk),
        name=cluster.name,
        host=cluster.host,
        pid=cluster.pid,
        state=state,
        workers=cluster.workers,
        version=cluster.version,
        is_other_version=state == "running" and cluster.version != newest.version,
        clock=clock_text(cluster) if state == "running" else "",
        copied=size_text(cluster.bytes_copied),
        started_at=cluster.started_at,
        heartbeat_at=cluster.heartbeat_at,
        is_followed=bool(later),
        successor=first.name if first else "",
        works=works,
    )


def began_after(one: Any, other: Any) -> bool:
    """Did a cluster begin after the last sign of life of another, by the clock of their host?"""
    return bool(one.started_at > other.clock)


def state_of(cluster: Any) -> str:
    if cluster.stopped_at:
        return "stopped"
    return "gone" if cluster.silence > GONE_AFTER else "running"


def clock_text(cluster: Cluster) -> str:
    """Return how wrong a clock is, in words; nothing if it is not."""
    seconds = cluster.clock_ahead.total_seconds()
    if abs(seconds) < CLOCK_OFF_SECONDS:
        return ""
    return f"{duration_text(abs(seconds))} {'fast' if seconds > 0 else 'slow'}"
