"""Deletes the history of jobs: whole trees, some time after their roots ended.

Rows go by their tree's number in short transactions, children and parents in one statement, so a
million jobs neither fill the memory nor keep anybody from writing for long.
"""

import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import OrmQ, Task

from jobs.models import Cluster, Job, JobLink, KeptAnswer
from jobs.registry import registered_purges

logger = logging.getLogger(__name__)

# Trees; a transaction of some hundredths of a second. What two thousand change is more than SQLite
# keeps in memory, and all takes half as long again.
BATCH_SIZE = 500
LOOKED_FOR = 20  # batches at once
NAMED_AT_MOST = 10_000  # jobs or trees in a statement: databases take some ten thousand values
PAUSE_SECONDS = 0.005  # between two batches, so that who waits to write gets in
MESSAGE_HELD_AT_MOST = timedelta(days=1)  # by a worker; who still had it then was killed


class Purged(NamedTuple):
    """How many rows went, or would go."""

    trees: int = 0
    jobs: int = 0

    def __add__(self, other: "Purged") -> "Purged":  # type: ignore[override]
        return Purged(self.trees + other.trees, self.jobs + other.jobs)


def purge(
    days: float | None = None, batch_size: int = BATCH_SIZE, max_seconds: float | None = None
) -> Purged:
    """Delete the trees that ended more than so many days ago, and what the queue has left behind.

    Stops after `max_seconds`, between two batches; the next run goes on. Runs of several at once
    do no harm.
    """
    limit = limit_of(days)
    plan_anew()
    purge_around(limit)
    for purge_more in registered_purges():
        purge_more()
    purged, began = Purged(), time.monotonic()
    for batch in batches(limit, batch_size):
        purged += batch
        if max_seconds is not None and time.monotonic() - began >= max_seconds:
            break
        time.sleep(PAUSE_SECONDS)
    logger.info("purged", extra=purged._asdict())
    return purged


def plan_anew() -> None:
    """Let PostgreSQL forget how this connection has asked until now.

    For every job that goes it looks for others that name it, and where the tables were tiny when it
    did so first, it would go on reading them from end to end: a hundred times as long.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("DISCARD PLANS")


def count(days: float | None = None) -> Purged:
    """Return what `purge` would delete."""
    roots = Job.objects.roots().finished_before(limit_of(days))
    trees = roots.values("tree_id")
    return Purged(roots.count(), Job.objects.filter(tree_id__in=trees).count())


def limit_of(days: float | None) -> datetime:
    """Return the time before which a root must have ended."""
    return timezone.now() - timedelta(days=settings.JOB_RETENTION_DAYS if days is None else days)


def batches(limit: datetime, size: int) -> Iterator[Purged]:
    """Delete batch after batch, oldest first, and yield what went with each.

    Several are looked for at once: a PostgreSQL that was not analyzed sorts all old trees for it.
    """
    old = Job.objects.roots().finished_before(limit).order_by("finished_at")
    while trees := list(old.values_list("tree_id", flat=True)[: size * LOOKED_FOR]):
        for begin in range(0, len(trees), size):
            yield delete_trees(trees[begin : begin + size], limit)


@transaction.atomic
def delete_trees(trees: list[int], limit: datetime) -> Purged:
    """Delete whole trees by their numbers and return what went.

    Their roots are locked and looked at once more: one may have been retried a moment ago. They are
    asked for by their places in their trees, or SQLite reads all old roots for each batch.
    """
    roots = Job.objects.filter(tree_id__in=trees, lft=1).select_for_update(no_key=True)
    ends = roots.exclude(state=Job.State.STARTED).values_list("tree_id", "finished_at")
    still = [tree for tree, finished_at in ends if finished_at and finished_at < limit]
    if not still:
        return Purged()
    jobs = Job.objects.filter(tree_id__in=still).order_by()
    for linked in linked_jobs(jobs):
        JobLink.objects.filter(job__in=linked).order_by()._raw_delete(connection.alias)
    return Purged(len(still), jobs._raw_delete(connection.alias))


def linked_jobs(jobs: Any) -> Iterator[Any]:
    """Yield jobs as the database finds their links fastest.

    SQLite looks for those of each job in turn. PostgreSQL would read all links that there are,
    unless it is told the keys of the jobs; to name them costs time, too.
    """
    if connection.vendor != "postgresql":
        yield jobs.values("pk")
        return
    keys = list(jobs.values_list("pk", flat=True))
    for begin in range(0, len(keys), NAMED_AT_MOST):
        yield keys[begin : begin + NAMED_AT_MOST]


def purge_around(limit: datetime) -> None:
    """Delete old answers, clusters that are long gone, the queue's records of broken tasks, and
    messages of killed workers.
    """
    KeptAnswer.objects.filter(created__lt=limit).delete()
    Cluster.objects.forgettable().delete()
    Task.objects.filter(stopped__lt=limit).delete()
    retry = timedelta(seconds=settings.Q_CLUSTER["retry"])
    held = timezone.now() + retry - MESSAGE_HELD_AT_MOST
    OrmQ.objects.filter(lock__gt=timezone.now(), lock__lt=held).delete()
