"""The sign of life of a cluster: written by its main process, while the guard of its workers works.

django-q2 has one of its own, `Stat`, but keeps it in Django's cache: without Redis no other process
sees it. Ours is a row in the database, which every installation has.

The main process writes in a thread. It waits for the database alone: no worker, and no stop, does.
"""

import ctypes
import logging
import threading
import time
from contextlib import suppress
from multiprocessing.sharedctypes import RawValue
from typing import Any

import django_q.cluster
from django.db import Error, connection

from jobs.presence import HEARTBEAT_SECONDS, Cluster
from jobs.tally import bytes_copied

logger = logging.getLogger(__name__)

GUARD_SILENT_SECONDS = 60  # it looks after its workers twice a second, and waits for its schedules
LAST_SECONDS = 2  # that a stop waits for the last sign of life

_guarded_at = RawValue(ctypes.c_double)  # by the monotonic clock, which all processes share
_name = ""


class GuardsPulse:
    """Takes the place of django-q2's `Stat`: the guard of the workers saves one in each round."""

    def __init__(self, sentinel: Any) -> None:
        pass

    def save(self) -> None:
        _guarded_at.value = time.monotonic()


class Heartbeat(threading.Thread):
    """Renews the row of a cluster until it ends; what the database says to it is only logged."""

    def __init__(self, cluster: Cluster, seconds: float = HEARTBEAT_SECONDS) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self.cluster, self.seconds = cluster, seconds
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(self.seconds):
            if time.monotonic() - _guarded_at.value < GUARD_SILENT_SECONDS:
                self.write()
        self.write(is_last=True)
        connection.close()

    def write(self, *, is_last: bool = False) -> None:
        self.cluster.bytes_copied = bytes_copied()
        try:
            self.cluster.beat(is_last=is_last)
        except Exception as error:
            logger.warning("no heartbeat: %s", error)
            with suppress(Error):
                connection.close()  # the next one opens another

    def end(self) -> None:
        """Note that the cluster has ended; a database that does not answer is not waited for."""
        self.ended.set()
        self.join(LAST_SECONDS)


def heed_guard() -> None:
    """Have the guard of the workers tell, in shared memory, that it does its rounds."""
    django_q.cluster.Stat = GuardsPulse


def call_cluster(name: str) -> None:
    """Give the cluster of this process, and of all that it forks, its name."""
    global _name
    _name = name


def cluster_name() -> str:
    """Return the name of this process's cluster, or nothing outside of one."""
    return _name
