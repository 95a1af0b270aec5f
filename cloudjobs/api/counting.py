"""Counters in the cache that begin anew with every window of some seconds.

With Redis all processes count together; without it each counts for itself. A cache that is away
counts nothing: limits are there to keep the service up, not to take it down.
"""

import logging
import time
from dataclasses import dataclass

from django.core.cache import cache

logger = logging.getLogger(__name__)


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
        try:
            return self.add()
        except Exception:
            logger.warning("the cache does not count", exc_info=True)
            return 0

    def add(self) -> int:
        key = self.key
        try:
            return cache.incr(key)
        except ValueError:  # it is the first
            return 1 if cache.add(key, 1, self.seconds) else cache.incr(key)

    def counted(self) -> int:
        try:
            return cache.get(self.key, 0)
        except Exception:
            logger.warning("the cache does not count", exc_info=True)
            return 0

    def forget(self) -> None:
        try:
            cache.delete(self.key)
        except Exception:
            logger.warning("the cache does not count", exc_info=True)
