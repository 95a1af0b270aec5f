"""Lines to whoever listens to announcements, and the local one: a socket in `CLOUDJOBS_HOME`.

It is a stream, as of datagrams Linux keeps no more than ten that nobody has read.
"""

import logging
import os
import socket
from abc import ABC, abstractmethod
from functools import cache
from threading import Lock

from django.conf import settings

logger = logging.getLogger(__name__)


class Line(ABC):
    """A connection to whoever listens, that the threads of a process share."""

    def __init__(self) -> None:
        self.lock = Lock()

    def say(self, message: bytes) -> None:
        with self.lock:
            self.say_alone(message)

    @abstractmethod
    def say_alone(self, message: bytes) -> None:
        """Send a message, while no other thread does; drops what cannot be sent at once."""


class LocalLine(Line):
    """Through the socket in `CLOUDJOBS_HOME`."""

    def __init__(self) -> None:
        super().__init__()
        self.socket: socket.socket | None = None

    def say_alone(self, message: bytes) -> None:
        """Whoever listened may have been started anew meanwhile, so there is a second try."""
        for _ in range(2):
            try:
                self.socket = self.socket or connected()
                if self.socket.send(message) == len(message):
                    return
            except (FileNotFoundError, ConnectionRefusedError):
                return  # nobody listens
            except BlockingIOError:
                logger.warning("whoever listens to announcements does not keep up")
                return
            except OSError:
                pass
            self.hang_up()  # half a message would garble the next one

    def hang_up(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def connected() -> socket.socket:
    """Return a socket that never waits, connected to the process that serves events."""
    mine = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        mine.settimeout(0)
        mine.connect(local_address())
    except OSError:
        mine.close()
        raise
    return mine


def local_address() -> str:
    """Return the socket's path, through an open folder: a path of its own may be too long."""
    return f"/proc/self/fd/{open_home()}/events.sock"


@cache
def open_home() -> int:
    return os.open(settings.CLOUDJOBS_HOME, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
