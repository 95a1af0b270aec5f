"""What is done about a database that is away for a while: workers go on and try again."""

from django.db import InterfaceError, OperationalError, connection

AWAY = (OperationalError, InterfaceError)
"""Raised while the database cannot be reached, and when it broke off a transaction."""


def drop_broken_connection() -> None:
    """Let the next query open a new connection, if the one that there is does not work any more.

    Also for a request that has not asked for so long that the database may have been started anew.
    """
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
