"""Hears announcements: from the socket in `CLOUDJOBS_HOME`, or from Redis if there is one."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from contextlib import suppress

from django.conf import settings

from cloudjobs.announcing.lines import local_address

Hear = Callable[[bytes], None]


class AlreadyHeard(Exception):
    """Another process listens to this socket."""


async def hear_all(hear: Hear) -> None:
    """Hear announcements for ever.

    Raises:
        AlreadyHeard: without Redis one process hears them, and another one does.
    """
    if settings.REDIS_URL:
        from events.published import hear_redis

        await hear_redis(hear)
    else:
        await hear_locally(hear)


async def hear_locally(hear: Hear) -> None:
    async def hear_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A line too long, a process that died, the end of this one: Python 3.11 logs the last.
        with suppress(ValueError, OSError, asyncio.CancelledError):
            async for line in reader:
                hear(line)
        writer.close()

    take_place()
    server = await asyncio.start_unix_server(hear_one, local_address())
    try:
        await asyncio.Event().wait()
    finally:
        server.close()


def take_place() -> None:
    """Remove the socket of a process that is no more.

    Raises:
        AlreadyHeard: that process is still there.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        found = caller.connect_ex(local_address())
    if found == 0:
        raise AlreadyHeard(f"Another process serves the events of {settings.CLOUDJOBS_HOME}.")
    if found != errno.ENOENT:
        os.unlink(local_address())  # noqa: PTH108  a path of the kernel's
