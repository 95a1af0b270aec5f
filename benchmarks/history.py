"""A long history of jobs, made by the database itself: a hundred thousand trees in some seconds."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from psycopg import ClientCursor

from jobs.models import Job

FIRST_NUMBER = 0x10D0_0000_0000_0000  # of the made keys; each tree has sixteen of its own
TREES_AT_ONCE = 20_000
RESOURCES = json.dumps(
    [
        {"kind": "drives", "uuid": f"{number:032x}", "name": f"disk {number}", "is_gone": False}
        for number in (1, 2)
    ]
)


def make_history(
    owner: UUID, trees: int, children: int, *, ended: datetime | None, links: int = 2
) -> None:
    """Insert trees of a root and `children` sub-jobs that ended at a time; None: they still run.

    Every job has so many links, as if it had worked on drives; it shows two of them.
    """
    while trees > 0:
        with transaction.atomic():
            insert_trees(owner, min(trees, TREES_AT_ONCE), children, ended, links)
        trees -= TREES_AT_ONCE


def insert_trees(
    owner: UUID, trees: int, children: int, ended: datetime | None, links: int
) -> None:
    first = (Job.objects.aggregate(last=Max("tree_id"))["last"] or 0) + 1
    numbers = {"first": first, "last": first + trees - 1}
    insert_jobs(owner, numbers, 0, children, ended)
    for child in range(1, children + 1):
        insert_jobs(owner, numbers, child, children, ended)
    for _ in range(links):
        insert_links(numbers)
    if connection.vendor == "postgresql":
        run("SELECT setval('jobs_tree_number', %(last)s)", numbers)


def insert_jobs(
    owner: UUID, numbers: dict[str, int], place: int, children: int, ended: datetime | None
) -> None:
    """Insert the root (`place` 0) or one child of each tree."""
    is_root = place == 0
    columns: dict[str, Any] = {
        "operation": "server_clone" if is_root else "drive_clone",
        "params": "{}",
        "resources": RESOURCES,
        "samples": "[]",
        "events": "[]",
        "is_internal": False,
        "lane": "",
        "state": "success" if ended else "started",
        "error": "",
        "error_code": "",
        "error_hint": "",
        "weight": 1024**2,
        "bytes_done": 1024**2 if ended else 0,
        "cursor": 0,
        "method": "",
        "attempts": 1,
        "fruitless": 0,
        "turn": 0,
        "worker": "",
        "level": 0 if is_root else 1,
        "lft": 1 if is_root else 2 * place,
        "rght": 2 * (children + 1) if is_root else 2 * place + 1,
    }
    times = ("created", "last_modified", "queued_at")
    columns |= dict.fromkeys(times, ended or timezone.now()) | {"finished_at": ended}
    owner_value = Job._meta.get_field("owner").get_db_prep_value(owner, connection)
    names = ["uuid", "parent_id", "tree_id", "owner_id", *columns]
    values = [uuid_sql(place), "NULL" if is_root else uuid_sql(0), "i", "%(owner)s"]
    values += [f"%({name})s" for name in columns]
    run(
        f"INSERT INTO jobs_job ({', '.join(names)}) "
        f"SELECT {', '.join(values)} FROM {series_sql()} AS numbers",
        {**numbers, **columns, "owner": owner_value},
    )


def insert_links(numbers: dict[str, int]) -> None:
    """Link every job of the trees with an object of its own."""
    run(
        "INSERT INTO jobs_joblink (job_id, kind, object_uuid) "
        "SELECT uuid, 'drives', uuid FROM jobs_job WHERE tree_id BETWEEN %(first)s AND %(last)s",
        numbers,
    )


def uuid_sql(place: int) -> str:
    """Return the SQL for the key of a tree's job, made from the tree's number `i`."""
    number = f"({FIRST_NUMBER} + i * 16 + {place})"
    if connection.vendor == "postgresql":
        return f"lpad(to_hex(({number})::bigint), 32, '0')::uuid"
    return f"printf('%%032x', {number})"


def series_sql() -> str:
    """Return the SQL for the tree numbers, in a column `i`."""
    if connection.vendor == "postgresql":
        return "(SELECT generate_series(%(first)s::bigint, %(last)s::bigint) AS i)"
    return (
        "(WITH RECURSIVE n(i) AS (SELECT %(first)s UNION ALL SELECT i + 1 FROM n "
        "WHERE i < %(last)s) SELECT i FROM n)"
    )


def run(sql: str, values: dict[str, Any]) -> None:
    """Run a statement with its values written into it: in a SELECT, PostgreSQL does not guess the
    types of those that come beside it.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            ClientCursor(cursor.connection).execute(sql, values)
        else:
            cursor.execute(sql, values)
