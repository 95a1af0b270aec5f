"""`purge`: deleting old trees of three jobs, against two raw DELETEs of the same rows."""

from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from benchmarks.filled import settle
from benchmarks.history import make_history
from benchmarks.measure import Result, interleaved, medians, seconds
from jobs import retention
from jobs.models import Job

TREES, YOUNGER, ROUNDS = 100_000, 5_000, 3
OLD = (
    "tree_id IN (SELECT tree_id FROM jobs_job "
    "WHERE parent_id IS NULL AND state <> 'started' AND finished_at < %s)"
)
RAW = (
    f"DELETE FROM jobs_joblink WHERE job_id IN (SELECT uuid FROM jobs_job WHERE {OLD})",
    f"DELETE FROM jobs_job WHERE {OLD}",
)


def run() -> Result:
    owner = User.objects.create_user("purged@example.com").pk
    make_history(owner, YOUNGER, 2, ended=timezone.now())
    figures = interleaved(
        {"ours": lambda: measured(owner, purge), "raw": lambda: measured(owner, raw_delete)},
        ROUNDS,
        before_each=settle,
    )
    typical = medians(figures)
    ratio = typical["ours"] / typical["raw"]
    return Result(
        name="purge",
        ours=f"{TREES * 3 / typical['ours']:,.0f} jobs/s",
        floor=f"raw DELETE {TREES * 3 / typical['raw']:,.0f}/s",
        ratio=ratio,
        target="≤ 2 × its time",
        holds=ratio <= 2,
        raw={"seconds": figures, "trees": TREES},
    )


def measured(owner: UUID, delete: object) -> float:
    """Return the seconds that a way to delete takes for the same number of old trees."""
    before = Job.objects.count()
    make_history(owner, TREES, 2, ended=timezone.now() - timedelta(days=5))
    took = seconds(delete)  # type: ignore[arg-type]
    assert Job.objects.count() == before
    return took


def purge() -> None:
    retention.purge()


@transaction.atomic
def raw_delete() -> None:
    limit = timezone.now() - timedelta(days=3)
    with connection.cursor() as cursor:
        for sql in RAW:
            cursor.execute(sql, [limit])
