"""A bandwidth limit shared by all processes that use one storage host.

The host's folder holds a small file with one time: until then the bandwidth is given away. Whoever
wants to move bytes takes the next slot under a file lock and sleeps, without the lock, until the
slot begins (virtual scheduling, the generic cell rate algorithm of ITU-T I.371). Wall clock time,
because processes on other machines may share the folder.
"""

import fcntl
import os
import threading
import time
from pathlib import Path

BURST = 0.1
"""Seconds of unused bandwidth that may be caught up on."""

HORIZON = 60.0
"""Seconds; a slot further ahead than that comes from a clock that jumped."""

WAKE_INTERVAL = 0.2
"""Seconds between two looks at the clock while waiting."""

MIN_CHUNK = 64 * 1024
MAX_CHUNK = 4 * 1024 * 1024


class Limiter:
    """Lets `rate` bytes per second pass, counted together with all users of the file `path`."""

    def __init__(self, path: str | Path, rate: int) -> None:
        if rate <= 0:
            raise ValueError(f"A bandwidth limit must be positive, not {rate}.")
        self.path = Path(path)
        self.rate = rate

    @property
    def chunk(self) -> int:
        """Bytes to take at once: a tenth of a second's worth, so that progress is smooth."""
        return max(MIN_CHUNK, min(self.rate // 10, MAX_CHUNK))

    def take(self, n: int, stop: threading.Event | None = None) -> None:
        """Wait until `n` bytes may pass; returns early once `stop` is set."""
        stop = stop or threading.Event()
        begin = self._reserve(n / self.rate)
        while (wait := begin - time.time()) > 0:
            if wait > HORIZON + n / self.rate:
                return  # the clock was put back while we slept
            if stop.wait(min(wait, WAKE_INTERVAL)):
                return

    def _reserve(self, seconds: float) -> float:
        """Give away the next `seconds` of bandwidth and return the time at which they begin."""
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            now = time.time()
            begin = max(_given_away_until(fd, now + HORIZON + seconds), now - BURST)
            os.ftruncate(fd, os.pwrite(fd, f"{begin + seconds:.6f}\n".encode(), 0))
            return begin
        finally:
            os.close(fd)


def _given_away_until(fd: int, latest: float) -> float:
    """The time in the file, or 0 if there is none that can be true."""
    try:
        until = float(os.pread(fd, 64, 0))
    except ValueError:
        return 0.0
    return until if until <= latest else 0.0
