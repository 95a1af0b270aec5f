"""System checks: database and settings must be the way that the job engine counts on."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from jobs.limits import lane_limits

WANTED_PRAGMAS = {"journal_mode": "wal", "synchronous": 1, "busy_timeout": 20_000}


@register(Tags.database)
def check_sqlite(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Read the PRAGMAs back: a setting in the wrong place takes no effect and says nothing."""
    if not databases or connection.vendor != "sqlite":
        return []
    return [*wrong_pragmas(), *wrong_transaction_mode()]


def wrong_pragmas() -> list[CheckMessage]:
    with connection.cursor() as cursor:
        found = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in WANTED_PRAGMAS}
    if found["journal_mode"] == "memory":
        found["journal_mode"] = "wal"  # a database in memory has no journal to speak of
    return [
        Error(f"SQLite's {name} is {found[name]!r}, not {wanted!r}.", id="jobs.E001")
        for name, wanted in WANTED_PRAGMAS.items()
        if found[name] != wanted
    ]


def wrong_transaction_mode() -> list[CheckMessage]:
    """A transaction begun IMMEDIATE holds the write lock: another connection's try shows it."""
    if getattr(connection, "transaction_mode", None) == "IMMEDIATE":
        return []
    message = "SQLite's transactions must be IMMEDIATE, or concurrent writers fail at random."
    return [Error(message, id="jobs.E002")]


@register()
def check_limits(**kwargs: Any) -> list[CheckMessage]:
    """A limit below 0 would be taken as 1."""
    limits = {"JOBS_PER_USER": settings.JOBS_PER_USER}
    with suppress(ImproperlyConfigured):  # whoever registered these tells of it
        limits |= lane_limits()
    return [
        Error(f"The limit of jobs of {name} is {most}; 0 means any number.", id="jobs.E003")
        for name, most in limits.items()
        if most < 0
    ]
