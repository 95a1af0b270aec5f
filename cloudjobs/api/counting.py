"""Counters that begin anew with every window of some seconds.

With Redis all processes count together; without it each counts for itself. While Redis is away
nothing is counted: limits are there to keep the service up, not to take it down.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.cache import caches

logger = logging.getLogger(__name__)

LEFT_ALONE_SECONDS = 5  # a cache that did not answer
away_until = 0.0  # by the monotonic clock


@dataclass(frozen=True)
class Window:
    """What is counted under `name`, for `seconds` at a time."""

    name: str
    seconds: int

    @property
    def key(self) -> str:
        return f"count-{self.name}-{int(time.time() // self.seconds)}"

    @property
    def seconds_left(self) -> int:
        """The whole seconds until the next window begins, at least 1."""
        return max(1, int(self.seconds - time.time() % self.seconds) + 1)

    def count(self) -> int:
        """Count one more and return how many there are."""
        return answer_of(self.add)

    def counted(self) -> int:
        return answer_of(lambda cache: cache.get(self.key, 0))

    def add(self, cache: Any) -> int:
        key = self.key
        try:
            return cache.incr(key)
        except ValueError:  # it is the first
            return 1 if cache.add(key, 1, self.seconds) else cache.incr(key)


def answer_of(ask: Callable[[Any], int]) -> int:
    """Return what the cache answers, or 0 while it is away; then it is left alone for a while."""
    global away_until
    if time.monotonic() < away_until:
        return 0
    try:
        return ask(caches["counters"])
    except Exception:  # whatever its driver raises: it must not take the service down
        logger.warning("the cache of counters is away", exc_info=True)
        away_until = time.monotonic() + LEFT_ALONE_SECONDS
        return 0
