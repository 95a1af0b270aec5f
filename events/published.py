"""Hears the announcements that are published through Redis."""

import asyncio
import logging
from collections.abc import Callable

import redis.asyncio
from django.conf import settings

from cloudjobs.announcing.published import channel

logger = logging.getLogger(__name__)

SILENCE_SECONDS = 10  # after which Redis is asked whether it is there
PATIENCE_SECONDS = 1  # before it is called again


async def hear_redis(hear: Callable[[bytes], None]) -> None:
    """Hear what is published, and begin again whenever Redis was away."""
    while True:
        try:
            await hear_published(hear)
        except (redis.RedisError, OSError) as error:
            logger.warning("announcements are not heard: %s", error)
        await asyncio.sleep(PATIENCE_SECONDS)


async def hear_published(hear: Callable[[bytes], None]) -> None:
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
