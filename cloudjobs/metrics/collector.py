"""What the database and the storage know, looked up with each scrape.

Nothing here is counted over the history: indexes lead to what is unfinished, and to what ended
within the last minutes. All web servers answer alike, so one of them is enough to be asked.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import Error
from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from cloudjobs.patience import within
from drives.storage import StorageError, StorageHost, all_hosts
from jobs.models import Cluster, Job
from jobs.querysets import stale
from jobs.registry import all_operations

ENDED_WITHIN = timedelta(minutes=5)
MOST_ENDED = 10_000
MOST_CLUSTERS = 100  # whose bytes are told; one that dies as it begins is followed by many
STORAGE_SECONDS = 1
LEASED = Q(lease_token__isnull=False)
RUNNING = LEASED & Q(heartbeat_at__gte=stale())


class ServiceCollector:
    """Asks the database and each storage host; what does not answer is said to be down."""

    def collect(self) -> Iterator[Metric]:
        up = gauge("database_up", "Whether the database answered this scrape.")
        try:
            found = [*unfinished_jobs(), *ended_jobs(), *clusters()]
        except Error:
            up.add_metric([], 0)
        else:
            up.add_metric([], 1)
            yield from found
        yield up
        yield from storage()


def gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"cloudjobs_{name}", text, labels=labels)


def unfinished_jobs() -> list[Metric]:
    """Return how many jobs run and wait, how old the queue is, and how old the oldest lease."""
    jobs = gauge(
        "jobs", "Jobs that run or wait, without those that sum others up.", "state", "operation"
    )
    queue = gauge("queue_age_seconds", "How long the job that waits longest has been waiting.")
    lease = gauge("lease_age_seconds", "How long the running job that is silent longest has been.")
    rows = {row["operation"]: row for row in counted_by_operation()}
    for operation in all_operations():
        row = rows.get(operation, {"all": 0, "running": 0})
        jobs.add_metric(["running", operation], row["running"])
        jobs.add_metric(["waiting", operation], row["all"] - row["running"])
    queue.add_metric([], age(row["queued_at"] for row in rows.values()))
    lease.add_metric([], age(row["heartbeat_at"] for row in rows.values()))
    return [jobs, queue, lease]


def counted_by_operation() -> Any:
    unfinished = Job.objects.unfinished().leaves().order_by().values("operation")
    return unfinished.annotate(
        all=Count("pk"),
        running=Count("pk", filter=RUNNING),
        queued_at=Min("queued_at", filter=~RUNNING | Q(lease_token=None)),
        heartbeat_at=Min("heartbeat_at", filter=LEASED),
    )


def ended_jobs() -> list[Metric]:
    ended = gauge(
        "jobs_ended",
        f"Trees of jobs that ended within the last 5 minutes, of the last {MOST_ENDED} at most.",
        "state",
        "operation",
    )
    lately = Job.objects.roots().filter(finished_at__gte=timezone.now() - ENDED_WITHIN)
    # Their order leads to the index of the history; grouped, SQLite would read all roots.
    newest = lately.order_by("-finished_at").values_list("state", "operation")
    found = Counter(newest[:MOST_ENDED])
    for state in Job.FINISHED:
        for operation in all_operations():
            ended.add_metric([state, operation], found[state, operation])
    return [ended]


def clusters() -> list[Metric]:
    """Return which clusters run, which are gone, and what each has copied."""
    count = gauge("clusters", "Clusters of workers; those that are gone fell silent.", "state")
    workers = gauge("workers", "Workers of the clusters that run.")
    copied = CounterMetricFamily(
        "cloudjobs_copied_bytes",
        "Bytes that the workers of a cluster have copied since it began; a clone that shares "
        "blocks copies none.",
        labels=["cluster"],
    )
    running = list(Cluster.objects.running())
    count.add_metric(["running"], len(running))
    count.add_metric(["gone"], Cluster.objects.gone().count())
    workers.add_metric([], sum(one.workers for one in running))
    newest = Cluster.objects.order_by("-heartbeat_at").values_list("name", "bytes_copied")
    for name, total in newest[:MOST_CLUSTERS]:
        copied.add_metric([name], total)
    return [count, workers, copied]


def storage() -> list[Metric]:
    up = gauge(
        "storage_up", "Whether the storage host can be used, and said so within a second.", "host"
    )
    free = gauge("storage_free_bytes", "Bytes that new data may take up.", "host")
    used = gauge("storage_used_bytes", "Bytes of the storage that are taken up.", "host")
    for host in all_hosts():
        try:
            left, capacity = within(STORAGE_SECONDS, partial(room_of, host), host.name)
        except (StorageError, OSError):
            up.add_metric([host.name], 0)
        else:
            up.add_metric([host.name], 1)
            free.add_metric([host.name], left)
            used.add_metric([host.name], max(0, capacity - left))
    return [up, free, used]


def room_of(host: StorageHost) -> tuple[int, int]:
    """Return the free bytes and the capacity. Raises StorageError if it cannot be written to."""
    host.backend.check()
    return host.backend.free(), host.backend.capacity()


def age(times: Iterator[datetime | None]) -> float:
    """Return how many seconds ago the earliest was; 0 if there is none."""
    earliest = min((at for at in times if at), default=None)
    return max(0.0, (timezone.now() - earliest).total_seconds()) if earliest else 0.0
