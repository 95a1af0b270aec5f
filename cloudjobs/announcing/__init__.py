"""Announces what changed to the processes that serve events: whose it is, its kind and its uuid.

An announcement is a hint, sent after the commit. Whoever hears it reads the object for itself. It
waits for nobody and never fails what it tells of: where nobody listens it goes nowhere, and one
that is lost is made good by the sweep in `events.hub`.

With Redis it is published, and heard on every machine. Without, it goes through a socket in
`CLOUDJOBS_HOME`.
"""

import json
import logging
import os
from collections.abc import Iterable
from functools import cache, partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from cloudjobs.announcing.lines import Line, LocalLine

logger = logging.getLogger(__name__)

Thing = tuple[str, str]
"""What changed: its kind, as in the addresses of the API, and its uuid."""

PROFILE = "profile"
MOST_AT_ONCE = 200  # things in one announcement


def announce(owner: UUID | None, things: Iterable[tuple[str, Any]]) -> None:
    """Announce things of an owner once the transaction is committed; nobody's are not."""
    if owner is None:
        return
    listed = [(kind, str(uuid)) for kind, uuid in things]
    for begin in range(0, len(listed), MOST_AT_ONCE):
        message = encode(str(owner), listed[begin : begin + MOST_AT_ONCE])
        transaction.on_commit(partial(send, message))


def encode(owner: str, things: list[Thing]) -> bytes:
    """Return an announcement: one line of JSON."""
    return json.dumps([owner, things], separators=(",", ":")).encode() + b"\n"


def decode(message: bytes) -> tuple[str, list[Thing]]:
    """Return the owner and what changed.

    Raises:
        ValueError: it is no announcement.
    """
    owner, things = json.loads(message)
    return owner, [(kind, uuid) for kind, uuid in things]


def send(message: bytes) -> None:
    """Send an announcement, if that can be done at once; what was committed stays so anyway."""
    try:
        line().say(message)
    except Exception:
        logger.exception("not announced")


@cache
def line() -> Line:
    """Return the line of this process; the driver of Redis takes 18 MiB, so it waits for one."""
    if not settings.REDIS_URL:
        return LocalLine()
    from cloudjobs.announcing.published import RedisLine

    return RedisLine()


# What is forked must not talk into the line of its parent, nor wait for a lock that it copied.
os.register_at_fork(after_in_child=line.cache_clear)
