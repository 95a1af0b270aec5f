"""What operators see first in the admin: jobs, workers and storage, in figures.

No figure here is counted over the history: each has an index that leads to what is unfinished, or
to what ended within a day.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Sum
from django.utils import timezone
from django_q.models import Schedule

from accounts.models import User
from cloudjobs.overview import Room, room_of
from drives.models import Drive
from drives.placement import reserved_bytes, rooms_on
from drives.storage import all_hosts
from jobs.listing import LATELY
from jobs.models import Cluster, Job
from servers.models import Server

SCHEDULE_LATE = timedelta(minutes=3)  # django-q2 looks twice in a minute for what is due


@dataclass(frozen=True)
class Worker:
    """A worker that is at work: on how many jobs, and when it last gave a sign of life."""

    name: str
    jobs: int
    heartbeat_at: datetime


@dataclass(frozen=True)
class HostUse:
    """A storage host: its room, its drives, and the bytes free that no job still needs.

    `unreserved` is below 0 where more was promised than there is, and while the host is away.
    """

    room: Room
    drives: int
    promised: int
    unreserved: int


@dataclass(frozen=True)
class Figures:
    """All of it; `sweep_due_at` is None while no cluster has ever been set up."""

    running: int
    waiting: int
    waiting_since: datetime | None
    failed: int
    workers: tuple[Worker, ...]
    clusters: int
    clusters_gone: int
    sweep_due_at: datetime | None
    is_sweep_late: bool
    hosts: tuple[HostUse, ...]
    users: int
    drives: int
    servers: int


def figures() -> Figures:
    """Return the figures of this moment."""
    waiting = Job.objects.free().aggregate(count=Count("pk"), since=Min("queued_at"))
    due = Schedule.objects.filter(name="sweep").values_list("next_run", flat=True).first()
    now, workers = timezone.now(), workers_at_work()
    return Figures(
        running=sum(worker.jobs for worker in workers),
        waiting=waiting["count"],
        waiting_since=waiting["since"],
        failed=Job.objects.failed_since(now - LATELY).count(),
        workers=workers,
        clusters=Cluster.objects.running().count(),
        clusters_gone=Cluster.objects.gone().count(),
        sweep_due_at=due,
        is_sweep_late=due is None or due < now - SCHEDULE_LATE,
        hosts=hosts_in_use(),
        users=User.objects.filter(is_active=True).count(),
        drives=Drive.objects.count(),
        servers=Server.objects.count(),
    )


def workers_at_work() -> tuple[Worker, ...]:
    running = Job.objects.running().order_by("worker").values("worker")
    rows = running.annotate(jobs=Count("pk"), heartbeat_at=Max("heartbeat_at"))
    return tuple(Worker(row["worker"], row["jobs"], row["heartbeat_at"]) for row in rows)


def hosts_in_use() -> tuple[HostUse, ...]:
    lying = Drive.objects.order_by().values("storage_host")
    rows = {row["storage_host"]: row for row in lying.annotate(count=Count("pk"), size=Sum("size"))}
    unreserved = rooms_on(all_hosts(), reserved_bytes())
    return tuple(
        HostUse(
            room=room_of(host),
            drives=rows.get(host.name, {}).get("count", 0),
            promised=rows.get(host.name, {}).get("size", 0),
            unreserved=unreserved[host.name],
        )
        for host in all_hosts()
    )
