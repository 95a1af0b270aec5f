"""Announces what changed to the processes that serve events: whose it is, its kind and its uuid.

An announcement is a hint, sent after the commit. Whoever hears it reads the object for itself. It
waits for nobody and never fails what it tells of: where nobody listens it goes nowhere, and one
that is lost is made good by the sweep in `events.hub`.

With Redis it is published, and heard on every machine. Without, it goes through a socket in
`CLOUDJOBS_HOME`. That one is a stream: of datagrams Linux keeps no more than ten.
"""

import json
import logging
import os
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import suppress
from functools import cache, partial
from threading import Lock
from typing import Any
from uuid import UUID

import redis
from django.conf import settings
from django.db import transaction
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)

Thing = tuple[str, str]
"""What changed: its kind, as in the addresses of the API, and its uuid."""

PROFILE = "profile"
CONNECT_SECONDS = SEND_SECONDS = 0.25
LEFT_ALONE_SECONDS = 5  # a Redis that did not answer
MOST_AT_ONCE = 200  # things in one announcement


def announce(owner: UUID | None, things: Iterable[tuple[str, Any]]) -> None:
    """Announce things of an owner once the transaction is committed; nobody's are not."""
    if owner is None:
        return
    listed = [(kind, str(uuid)) for kind, uuid in things]
    for begin in range(0, len(listed), MOST_AT_ONCE):
        message = encode(str(owner), listed[begin : begin + MOST_AT_ONCE])
        transaction.on_commit(partial(send, message))


def encode(owner: str, things: list[Thing]) -> bytes:
    """Return an announcement: one line of JSON."""
    return json.dumps([owner, things], separators=(",", ":")).encode() + b"\n"


def decode(message: bytes) -> tuple[str, list[Thing]]:
    """Return the owner and what changed.

    Raises:
        ValueError: it is no announcement.
    """
    owner, things = json.loads(message)
    return owner, [(kind, uuid) for kind, uuid in things]


def send(message: bytes) -> None:
    """Send an announcement, if that can be done at once; what was committed stays so anyway."""
    try:
        line().say(message)
    except Exception:
        logger.exception("not announced")


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


@cache
def line() -> Line:
    """Return the line of this process."""
    return RedisLine() if settings.REDIS_URL else LocalLine()


# What is forked must not talk into the line of its parent, nor wait for a lock that it copied.
os.register_at_fork(after_in_child=line.cache_clear)
