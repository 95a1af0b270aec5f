"""Hears announcements: from the socket in `CLOUDJOBS_HOME`, or from Redis."""

import asyncio
import errno
import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress

import redis.asyncio
from django.conf import settings

from cloudjobs.announcing import channel, local_address

logger = logging.getLogger(__name__)

Hear = Callable[[bytes], None]
SILENCE_SECONDS = 10  # after which Redis is asked whether it is there
PATIENCE_SECONDS = 1  # before it is called again


class AlreadyHeard(Exception):
    """Another process listens to this socket."""


async def hear_all(hear: Hear) -> None:
    """Hear announcements for ever.

    Raises:
        AlreadyHeard: without Redis one process hears them, and another one does.
    """
    await (hear_redis(hear) if settings.REDIS_URL else hear_locally(hear))


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


async def hear_redis(hear: Hear) -> None:
    """Hear what is published, and begin again whenever Redis was away."""
    while True:
        try:
            await hear_published(hear)
        except (redis.RedisError, OSError) as error:
            logger.warning("announcements are not heard: %s", error)
        await asyncio.sleep(PATIENCE_SECONDS)


async def hear_published(hear: Hear) -> None:
    """Hear what is published until Redis is away."""
    client = redis.asyncio.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=SILENCE_SECONDS,
        health_check_interval=SILENCE_SECONDS,
    )
    async with client, client.pubsub(ignore_subscribe_messages=True) as published:
        await published.subscribe(channel())
        while True:
            message = await published.get_message(timeout=SILENCE_SECONDS)
            if message is not None:
                hear(message["data"])
