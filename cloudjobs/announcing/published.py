"""The line through Redis, on whose channel every machine hears what is announced."""

import logging
import time
from contextlib import suppress
from functools import cache
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from cloudjobs.announcing.lines import Line

logger = logging.getLogger(__name__)

CONNECT_SECONDS = SEND_SECONDS = 0.25
LEFT_ALONE_SECONDS = 5  # a Redis that did not answer


class RedisLine(Line):
    """Through Redis, which is asked to give no answers, so nobody waits for one."""

    def __init__(self) -> None:
        super().__init__()
        self.connection: Any = None
        self.left_alone_until = 0.0  # by the monotonic clock

    def say_alone(self, message: bytes) -> None:
        if time.monotonic() < self.left_alone_until:
            return
        try:
            self.require_connection()
            packed = self.connection.pack_command("PUBLISH", channel(), message)
            self.connection.send_packed_command(packed, check_health=False)
        except (redis.RedisError, OSError) as error:
            logger.warning("announcements do not reach Redis: %s", error)
            self.hang_up()
            self.left_alone_until = time.monotonic() + LEFT_ALONE_SECONDS

    def require_connection(self) -> None:
        """Connect unless that was done; one that can be read was closed from the other end."""
        if self.connection is not None and self.is_closed():
            self.hang_up()
        if self.connection is None:
            self.connection = new_connection()
            self.connection.connect()
            self.connection.send_command("CLIENT REPLY", "OFF")

    def is_closed(self) -> bool:
        try:
            return bool(self.connection.can_read(0))
        except (redis.RedisError, OSError):
            return True

    def hang_up(self) -> None:
        if self.connection is not None:
            with suppress(redis.RedisError, OSError):
                self.connection.disconnect()
            self.connection = None


def new_connection() -> Any:
    """Return a connection to Redis, not yet open, that tries nothing twice."""
    pool = redis.ConnectionPool.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=SEND_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    return pool.connection_class(**pool.connection_kwargs)


@cache
def channel() -> str:
    """Return the channel of this service; channels are shared by all databases of a Redis."""
    database = redis.ConnectionPool.from_url(settings.REDIS_URL).connection_kwargs.get("db", 0)
    return f"cloudjobs:{database}:changes"
