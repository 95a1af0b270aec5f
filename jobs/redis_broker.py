"""The end of a queue in Redis that messages are put into; workers take them by django-q2's own.

Only who uses such a queue imports this: the driver takes memory.
"""

import time
from typing import Any

import redis
from django.conf import settings
from django_q.brokers.redis_broker import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

ANSWER_SECONDS = 0.5
LEFT_ALONE_SECONDS = 1  # a Redis that did not answer


class RedisQueue(Redis):
    """Keeps one connection, and lets nobody wait for a Redis that hangs.

    Of many messages, the first that is not taken is the only one that is waited for.
    """

    def __init__(self, list_key: str | None = None) -> None:
        super().__init__(list_key)
        self.left_alone_until = 0.0  # by the monotonic clock

    @staticmethod
    def get_connection(list_key: str | None = None) -> Any:  # noqa: ARG004  the library's
        """Return a connection that is tried a second time: the one that is kept may be broken."""
        return redis.Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=ANSWER_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 1),
        )

    def enqueue(self, task: Any) -> Any:
        """Queue a message.

        Raises:
            redis.RedisError: it is not taken, or one before it was not a moment ago.
        """
        if time.monotonic() < self.left_alone_until:
            raise redis.ConnectionError("It did not answer a moment ago.")
        try:
            return super().enqueue(task)
        except redis.RedisError:
            self.left_alone_until = time.monotonic() + LEFT_ALONE_SECONDS
            raise
