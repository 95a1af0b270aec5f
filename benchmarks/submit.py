"""`submit`: the action that clones a drive, against bare INSERTs of the rows that it writes.

The queue is in the database, so its message is one of the rows. The rows that are inserted are
copies of those of a real clone, in one transaction; what the action looks up and what it changes of
the source, the floor does without.
"""

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Model
from django_q.models import OrmQ

from accounts.models import User
from benchmarks.measure import Result, interleaved, medians, seconds
from benchmarks.sources import make_source
from drives.cloning import clone_drive
from drives.models import Drive
from jobs.models import Job, JobLink

CLONES = 20  # for each figure
ROUNDS = 101  # short ones: a noisy machine disturbs both alike, and the median forgets it
Rows = list[tuple[type[Model], dict[str, Any]]]
tree_numbers = count(10**9)


def run() -> Result:
    owner = User.objects.create_user("submits@example.com")
    source = make_source(owner)
    clone = partial(clone_drive, source.pk, owner, {})
    rows = rows_of(clone())
    figures = interleaved(
        {"ours": partial(each, clone), "inserts": partial(each, partial(insert, rows))},
        rounds=ROUNDS,
        before_each=partial(clear, source),
    )
    clear(source)
    typical = medians(figures)
    ratio = typical["ours"] / typical["inserts"]
    return Result(
        name="submit",
        ours=f"{typical['ours'] * 1000:.2f} ms",
        floor=f"{len(rows)} INSERTs {typical['inserts'] * 1000:.2f} ms",
        ratio=ratio,
        target="≤ 4 × its time",
        holds=ratio <= 4,
        raw={"seconds": figures, "rows": len(rows)},
    )


def each(act: Callable[[], object]) -> float:
    """Return the seconds that it takes once, as a mean of many."""
    return seconds(lambda: [act() for _ in range(CLONES)]) / CLONES


def rows_of(clone: Drive) -> Rows:
    """Return the rows that a clone has written, without the numbers that the database gives."""
    job = Job.objects.get(links__object_uuid=clone.pk)
    written = {
        Drive: f"uuid = '{clone.pk.hex}'",
        Job: f"uuid = '{job.pk.hex}'",
        JobLink: f"job_id = '{job.pk.hex}'",
        OrmQ: f"id = {OrmQ.objects.latest('pk').pk}",
    }
    return [(model, row) for model, place in written.items() for row in selected(model, place)]


def selected(model: type[Model], place: str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {model._meta.db_table} WHERE {place}")
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [{name: row[name] for name in names if name != "id"} for row in rows]


@transaction.atomic
def insert(rows: Rows) -> None:
    """Insert the rows under fresh keys, each by a statement of its own."""
    drive, job, tree = key_of(uuid4()), key_of(uuid4()), next(tree_numbers)
    fresh = {Drive: {"uuid": drive}, Job: {"uuid": job, "tree_id": tree}, JobLink: {"job_id": job}}
    with connection.cursor() as cursor:
        for model, row in rows:
            values = row | fresh.get(model, {})
            cursor.execute(
                f"INSERT INTO {model._meta.db_table} ({', '.join(values)}) "
                f"VALUES ({', '.join(['%s'] * len(values))})",
                list(values.values()),
            )


def key_of(uuid: UUID) -> object:
    return Job._meta.pk.get_db_prep_value(uuid, connection)


def clear(source: Drive) -> None:
    """Leave nothing behind but the drive that is cloned."""
    for model in (JobLink, Job, OrmQ):
        model.objects.all().delete()
    Drive.objects.exclude(pk=source.pk).delete()
