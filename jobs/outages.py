"""What a worker does when the database is away for a while: it goes on and tries again."""

from django.db import InterfaceError, OperationalError, connection

AWAY = (OperationalError, InterfaceError)
"""Raised while the database cannot be reached, and when it broke off a transaction."""


def drop_broken_connection() -> None:
    """Let the next query open a new connection, if the one that there is does not work any more."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
