"""A bandwidth limit shared by all processes that use one storage host.

The host's folder holds a small file with one time: until then the bandwidth is given away. Whoever
wants to move bytes takes the next slot under a file lock and sleeps, without the lock, until the
slot begins (virtual scheduling, the generic cell rate algorithm of ITU-T I.371). Wall clock time,
because processes on other machines may share the folder.

Behind the time the file may name a rate, which then holds for everybody instead of the settings'.
It is read with every slot, so a change is felt at once and asks nothing of the database.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from drives.storage.errors import StorageError
from drives.storage.sparse import BLOCK

BURST = 0.1
"""Seconds of unused bandwidth that may be caught up on."""

HORIZON = 60.0
"""Seconds; a slot further ahead than that comes from a clock that jumped."""

WAKE_INTERVAL = 0.2
"""Seconds between two looks at the clock while waiting."""

MIN_CHUNK = 64 * 1024
MAX_CHUNK = 4 * 1024 * 1024

SAFE = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a pipe in its place must not be waited for

LEAST_RATE = MIN_CHUNK
"""Bytes per second; below that a single chunk would take longer than a second."""


class Kept(NamedTuple):
    """What the file says: until when the bandwidth is given away, and the rate that it names."""

    until: float = 0.0
    rate: int | None = None


class Limiter:
    """Lets `rate` bytes per second pass, counted together with all users of the file `path`.

    The rate is the one that was set by `limit`, else the `default`; None lets everything pass.
    Whatever asks for the file raises StorageError if there is something else, or it is not ours.
    """

    def __init__(self, path: str | Path, default: int | None = None) -> None:
        if default is not None and default <= 0:
            raise ValueError(f"A bandwidth limit must be positive, not {default}.")
        self.path = Path(path)
        self.default = default

    @property
    def rate(self) -> int | None:
        """Bytes per second, as they are limited at this moment."""
        return self.set_rate or self.default

    @property
    def set_rate(self) -> int | None:
        """The rate that was set instead of the default."""
        kept = self._read()
        return kept.rate if kept else None

    @property
    def is_kept(self) -> bool:
        """Is the file there and whole, so that all agree on the rate?"""
        return self._read() is not None

    @property
    def chunk(self) -> int:
        """Bytes to take at once: a tenth of a second's worth, so that progress is smooth."""
        rate = self.rate
        if rate is None:
            return MAX_CHUNK
        return max(MIN_CHUNK, min(rate // 10 // BLOCK * BLOCK, MAX_CHUNK))

    def limit(self, rate: int | None) -> None:
        """Let so many bytes per second pass from now on; None is the default again.

        What was given away before is void: at a low rate that may be a long time.
        """
        with self._locked() as fd:
            _keep(fd, Kept(time.time(), rate))
            os.fsync(fd)

    def check(self) -> None:
        """Return if the file can be read and written, or made."""
        with self._locked() as fd:
            _kept(fd)

    def take(self, n: int, stop: threading.Event | None = None) -> None:
        """Wait until `n` bytes may pass; returns early once `stop` is set."""
        rate = self.rate
        if rate is None:
            return
        stop = stop or threading.Event()
        begin = self._reserve(n / rate)
        while (wait := begin - time.time()) > 0:
            if wait > HORIZON + n / rate:
                return  # the clock was put back while we slept
            if stop.wait(min(wait, WAKE_INTERVAL)):
                return
            if self.rate != rate:
                self.take(n, stop)
                return

    def _reserve(self, seconds: float) -> float:
        """Give away the next `seconds` of bandwidth and return the time at which they begin."""
        with self._locked() as fd:
            now, kept = time.time(), _kept(fd) or Kept()
            until = kept.until if kept.until <= now + HORIZON + seconds else 0.0
            begin = max(until, now - BURST)
            _keep(fd, Kept(begin + seconds, kept.rate))
            return begin

    def _read(self) -> Kept | None:
        """What the file says; None if there is none, or it is not whole."""
        with self._failures_told(), suppress(FileNotFoundError):
            fd = os.open(self.path, os.O_RDONLY | SAFE)
            try:
                return _kept(fd)
            finally:
                os.close(fd)
        return None

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The file, made if there is none, with nobody else changing it."""
        with self._failures_told():
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | SAFE, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
                yield fd
            finally:
                os.close(fd)

    @contextmanager
    def _failures_told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = f"The bandwidth limit in {self.path.name} cannot be used: {error.strerror}."
            raise StorageError(reason) from error


def _kept(fd: int) -> Kept | None:
    """What is in the file; None if that can not be."""
    try:
        until, *rates = os.pread(fd, 64, 0).split()
        return Kept(float(until), next((int(rate) for rate in rates if int(rate) > 0), None))
    except ValueError:
        return None


def _keep(fd: int, kept: Kept) -> None:
    rate = "" if kept.rate is None else f" {kept.rate}"
    os.ftruncate(fd, os.pwrite(fd, f"{kept.until:.6f}{rate}\n".encode(), 0))
