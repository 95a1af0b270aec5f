"""Queue and workers: is the broker safe, do schedules run, do clusters live, does anything wait?"""

from collections.abc import Iterator
from datetime import timedelta

import redis
from django.conf import settings
from django.utils import timezone
from django_q.models import Schedule

from cloudjobs.doctor.examination import Finding, ok, problem, warning
from cloudjobs.operators import SCHEDULE_LATE
from jobs.limits import full
from jobs.models import Cluster, Job
from jobs.schedules import SCHEDULES

REDIS_SECONDS = 2
CLOCK_OFF = timedelta(seconds=2)
WAITS_LONG = timedelta(minutes=10)


def check_queue() -> Iterator[Finding]:
    """Messages get there and stay. What is lost of them the sweep queues again, in a minute."""
    if not settings.REDIS_URL:
        yield ok("The queue lies in the database.")
        return
    options = {"socket_timeout": REDIS_SECONDS, "socket_connect_timeout": REDIS_SECONDS}
    with redis.Redis.from_url(settings.REDIS_URL, **options) as broker:
        try:
            version = broker.info("server")["redis_version"]
        except redis.RedisError as error:
            yield problem(
                f"Redis does not answer: {error}",
                "Is it running, and is REDIS_URL right, its password too?",
            )
            return
        yield ok(f"Redis {version} answers.")
        yield memory_of(broker)


def memory_of(broker: redis.Redis) -> Finding:
    """Return whether Redis may throw messages away when its memory is full."""
    try:
        memory = broker.info("memory")
        limit, policy = int(memory["maxmemory"]), str(memory["maxmemory_policy"])
    except (redis.RedisError, KeyError) as error:
        return warning(f"Redis does not tell its limit of memory: {error}", "Look yourself.")
    if limit and policy != "noeviction":
        return problem(
            f"Redis throws messages away when its memory is full (maxmemory-policy {policy}).",
            "Set maxmemory-policy to noeviction, or give the queue a Redis of its own.",
        )
    return ok(f"Redis keeps what it has (maxmemory {limit or 'unlimited'}, {policy}).")


def check_schedules() -> Iterator[Finding]:
    """The sweep and the purge are there, and not late."""
    due = dict(Schedule.objects.filter(name__in=SCHEDULES).values_list("name", "next_run"))
    for name in SCHEDULES:
        if name not in due:
            yield problem(f"There is no schedule for the {name}.", "Run `manage.py migrate`.")
        elif due[name] < timezone.now() - SCHEDULE_LATE:
            yield problem(
                f"The {name} has been overdue since {due[name]:%Y-%m-%d %H:%M} UTC.",
                "Clusters run it: start `manage.py qcluster`, or look into its log.",
            )
        else:
            yield ok(f"The {name} is due at {due[name]:%H:%M} UTC.")


def check_clusters() -> Iterator[Finding]:
    """At least one lives, none is missing; all have one version and the right time."""
    running = list(Cluster.objects.running())
    workers = sum(one.workers for one in running)
    if running:
        yield ok(f"Clusters that run: {len(running)}, with {workers} workers together.")
    else:
        yield problem("No cluster of workers runs.", "Start `manage.py qcluster`.")
    for one in Cluster.objects.missing():
        yield warning(
            f"The cluster {one} fell silent at {one.heartbeat_at:%Y-%m-%d %H:%M:%S} UTC.",
            f"Look at the machine {one.host}; a day later it is forgotten.",
        )
    for one in running:
        if abs(one.clock_ahead) > CLOCK_OFF:
            seconds = one.clock_ahead.total_seconds()
            yield warning(f"The clock of {one} is off by {seconds:.0f} s.", "Let it run NTP.")
    versions = sorted({one.version for one in running})
    if len(versions) > 1:
        yield warning(
            f"The clusters run different versions: {', '.join(versions)}.",
            "Give all machines the same code, and start their clusters again.",
        )


def check_waiting() -> Iterator[Finding]:
    """Nothing waits while workers are idle, but what is over a limit of its owner or its host."""
    waiting = Job.objects.free().filter(full().admits())
    oldest = waiting.order_by("queued_at").values_list("queued_at", flat=True).first()
    busy = Job.objects.running().count()
    workers = sum(one.workers for one in Cluster.objects.running())
    if oldest is None or oldest > timezone.now() - WAITS_LONG:
        yield ok("No job has been waiting for long.")
    elif busy < workers:
        idle = workers - busy
        yield problem(
            f"A job has been waiting since {oldest:%Y-%m-%d %H:%M} UTC, "
            f"though {idle} workers are idle.",
            "Run `manage.py sweep_jobs`, and look into the log of the workers.",
        )
    else:
        yield warning(
            f"A job has been waiting since {oldest:%Y-%m-%d %H:%M} UTC: all workers are busy.",
            "Raise WORKERS, or start a cluster on another machine.",
        )
