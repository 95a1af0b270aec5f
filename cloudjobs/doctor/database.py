"""The database: does it answer, is it set up as the job engine counts on, is its clock ours?"""

import sqlite3
from collections.abc import Iterator

from django.conf import settings
from django.db import Error, connection
from django.utils import timezone

from cloudjobs.doctor.examination import Finding, ok, problem, warning
from cloudjobs.health import missing_migrations
from jobs.checks import wrong_pragmas, wrong_transaction_mode

CLOCK_SECONDS = 2.0
SHOWN = 3  # migrations


def check_connection() -> Iterator[Finding]:
    """It is reached. Whoever cannot reach it is told under which name it was looked for."""
    try:
        connection.ensure_connection()
    except Error as error:
        where = settings.DATABASES["default"]
        place = f"{where.get('HOST') or 'this machine'}, {where['NAME']}"
        reason = " ".join(str(error).split())
        yield problem(
            f"The database does not answer ({place}): {reason}",
            "Is it running, and is DATABASE_URL right? Nothing works without it.",
        )
        return
    yield ok(f"{described()} answers.")


def described() -> str:
    """Return kind and version."""
    if connection.vendor == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}, {settings.DATABASES['default']['NAME']},"
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return f"PostgreSQL {cursor.fetchone()[0]}"


def check_migrations() -> Iterator[Finding]:
    """Every table is as the code wants it."""
    missing = missing_migrations()
    if not missing:
        yield ok("Every migration is applied.")
        return
    names = ", ".join(f"{one.app_label} {one.name}" for one in missing[:SHOWN])
    yield problem(
        f"Migrations that are missing: {len(missing)}, the first of them {names}.",
        "Run `manage.py migrate`, on one machine.",
    )


def check_durability() -> Iterator[Finding]:
    """What was committed is there after a crash, and writers wait for each other."""
    look = sqlite_settings if connection.vendor == "sqlite" else postgresql_settings
    found = list(look())
    yield from found or [ok("Journal and transactions are set as they have to be.")]


def sqlite_settings() -> Iterator[Finding]:
    for message in (*wrong_pragmas(), *wrong_transaction_mode()):
        yield problem(message.msg, "Take DATABASES from cloudjobs/settings.py as it is.")


def postgresql_settings() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        for name in ("fsync", "full_page_writes"):
            cursor.execute(f"SHOW {name}")
            if cursor.fetchone()[0] == "off":
                yield warning(
                    f"PostgreSQL has {name}=off: a crash of its machine can ruin the database.",
                    "Switch it on in postgresql.conf, unless this is for tests.",
                )


def check_clock() -> Iterator[Finding]:
    """Leases go by the database's clock, sessions and log lines by this one."""
    if connection.vendor == "sqlite":
        yield ok("SQLite has the clock of this machine.")
        return
    before = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        theirs = cursor.fetchone()[0]
    off = max((before - theirs).total_seconds(), (theirs - timezone.now()).total_seconds(), 0)
    if off < CLOCK_SECONDS:
        yield ok("The clocks of this machine and of the database agree.")
    else:
        yield warning(
            f"The clocks of this machine and of the database are {off:.0f} s apart.",
            "Let both run NTP.",
        )
