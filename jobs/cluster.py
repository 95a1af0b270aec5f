"""The worker cluster: django-q2's, made to survive that one of its processes is killed.

Its processes share queues and timers that are guarded by locks in shared memory. Whoever is killed
while it holds such a lock takes it to the grave: an idle worker always holds that of the queue, so
killing it stops all others for ever; and who sets an event waits until each process that waited for
it has answered. Here a queue is a socket, of which the kernel gives each message to one reader, an
event is a counter of the kernel's, and a timer is plain shared memory.
"""

import os
import pickle
import select
import socket
import time
from contextlib import AbstractContextManager, nullcontext
from ctypes import c_float
from multiprocessing.sharedctypes import RawValue
from typing import Any

import django_q.cluster
import django_q.pusher

LONGEST_PAUSE = 1.0  # seconds
SMALL_BUFFER = 4096  # bytes; a cluster takes few messages in advance, others may have them


class SocketQueue:
    """A queue between processes that were forked after it was made."""

    def __init__(self, maxsize: int = 0) -> None:
        self._receiver, self._sender = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if maxsize:
            self._sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BUFFER)
        self._largest = self._sender.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)

    def put(self, item: Any) -> None:
        """Add an item; waits while the queue is full."""
        self._sender.send(pickle.dumps(item))

    def get(self) -> Any:
        """Take an item; waits while there is none."""
        # Nobody but the cluster's own processes has the other end.
        return pickle.loads(self._receiver.recv(self._largest))  # noqa: S301

    def empty(self) -> bool:
        return not select.select([self._receiver], [], [], 0)[0]

    def qsize(self) -> int:
        """Return 0 or 1: only whether there is something is known."""
        return int(not self.empty())

    def close(self) -> None:
        """Nothing: what was put is with the kernel already."""

    def join_thread(self) -> None:
        """Nothing: there is no thread."""


class KernelEvent:
    """An event that is set once; who waits for it may be killed, and who sets it never waits."""

    def __init__(self) -> None:
        self._counter = os.eventfd(0)

    def set(self) -> None:
        os.eventfd_write(self._counter, 1)

    def is_set(self) -> bool:
        return self.wait(0)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait so many seconds at most; return whether it is set."""
        return bool(select.select([self._counter], [], [], timeout)[0])


class SharedTimer:
    """A number that processes share; a float is written at once or not at all."""

    def __init__(self, typecode: str, value: float) -> None:
        self._number = RawValue(c_float, value)

    @property
    def value(self) -> float:
        return self._number.value

    @value.setter
    def value(self, value: float) -> None:
        self._number.value = value

    def get_lock(self) -> AbstractContextManager[None]:
        return nullcontext()


def pause_fetching(seconds: float) -> None:
    """Wait a moment before a queue that is away is asked again; a stop waits for this, too."""
    time.sleep(min(seconds, LONGEST_PAUSE))


def survive_killed_workers() -> None:
    """Have django-q2 build its clusters with these instead of its own."""
    django_q.cluster.Queue = SocketQueue
    django_q.cluster.Value = SharedTimer
    django_q.cluster.Event = KernelEvent
    django_q.pusher.sleep = pause_fetching
