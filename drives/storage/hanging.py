"""Notices that a folder hangs, as one on a server that is away does for minutes or for ever.

Who asks such a folder waits in the kernel, where nobody can call it back. So one asks at a time:
the first thread of a process is lost for as long as the folder hangs, and all others are told.
"""

import math
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from drives.storage.errors import StorageError

Answer = TypeVar("Answer")

HANGS_AFTER = 2.0
"""Seconds that a short question, like that for the free space, takes at most."""

NOBODY_ASKS = math.inf
"""In the place of a time by the monotonic clock; also of who has just begun to ask."""


class Questions:
    """The short questions that threads of this process ask a folder, one after the other."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._asked_at = NOBODY_ASKS

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """Return the answer. Raises StorageError if that to an earlier question is overdue."""
        if not self._asking.acquire(blocking=False) and not self._wait():
            raise StorageError("The storage does not answer.")
        self._asked_at = time.monotonic()
        try:
            return question()
        finally:
            self._asked_at = NOBODY_ASKS
            self._asking.release()

    def _wait(self) -> bool:
        """Wait for who asks now, unless that one should have been answered by now."""
        left = min(HANGS_AFTER, self._asked_at + HANGS_AFTER - time.monotonic())
        return left > 0 and self._asking.acquire(timeout=left)
