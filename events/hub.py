"""Who listens, what of theirs has changed, and the rounds in which it is read and sent.

What was announced of an object is gathered for a moment and read once, however often it changed;
the frame goes to all sockets of its owner, and one that says nothing new to none.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import close_old_connections
from websockets.asyncio.server import ServerConnection, broadcast
from websockets.frames import CloseCode

from accounts.event_logins import EventLogin, lasting
from cloudjobs.announcing import Thing, decode
from events.objects import changed_lately, read_events
from jobs.outages import AWAY

logger = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

READERS = 4  # threads, each with a connection to the database
GATHER_SECONDS = 0.05
READ_AT_ONCE = 100  # objects of one owner
REMEMBERED = 1000  # frames of one owner, by their hashes
PATIENCE_SECONDS = 1  # before the database is asked again that was away
LOGINS_SECONDS = 5  # between two looks at whether those who listen still may
SWEEP_SECONDS = 10  # between two looks for what announcements that were lost told of
SWEEP_OVERLAP = 5  # seconds that a sweep looks back before the last one


@dataclass(eq=False)
class Owner:
    """A user who listens: by which sockets, what has changed, and what they were sent last."""

    uuid: str
    since: float  # by the clock of the event loop
    sockets: dict[ServerConnection, EventLogin] = field(default_factory=dict)
    changed: set[Thing] = field(default_factory=set)
    sent: dict[Thing, int] = field(default_factory=dict)

    def take(self) -> set[Thing]:
        """Take as many of the things that have changed as are read at once."""
        return {self.changed.pop() for _ in range(min(READ_AT_ONCE, len(self.changed)))}

    def send(self, frames: dict[Thing, str]) -> None:
        """Send the frames that differ from what was sent last of the same things."""
        for thing, text in frames.items():
            if self.sent.get(thing) != hash(text):
                if len(self.sent) >= REMEMBERED:
                    self.sent.clear()
                self.sent[thing] = hash(text)
                broadcast(self.sockets, text)


class Hub:
    """All who listen to this process; used by its event loop alone."""

    def __init__(self) -> None:
        self.owners: dict[str, Owner] = {}
        self.stirred = asyncio.Event()
        self.readers = ThreadPoolExecutor(READERS, "reader")
        self.closing: set[asyncio.Task[None]] = set()

    async def ask(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Ask the database, in a thread of its own; a connection that broke is not used again."""

        def asked() -> T:
            close_old_connections()
            try:
                return call(*args, **kwargs)
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self.readers, asked)

    def has_room(self, user: str) -> bool:
        """May the user open one more socket?"""
        owner = self.owners.get(user)
        return owner is None or len(owner.sockets) < settings.EVENT_SOCKETS_PER_USER

    def join(self, socket: ServerConnection, login: EventLogin) -> None:
        if login.user not in self.owners:
            self.owners[login.user] = Owner(login.user, asyncio.get_running_loop().time())
        self.owners[login.user].sockets[socket] = login

    def leave(self, socket: ServerConnection, login: EventLogin) -> None:
        """Forget a socket, and with the last one of its owner all that is known of them."""
        owner = self.owners.get(login.user)
        if owner is not None:
            owner.sockets.pop(socket, None)
            if not owner.sockets:
                del self.owners[login.user]

    def hear(self, message: bytes) -> None:
        """Note what an announcement tells of somebody who listens."""
        try:
            self.note(*decode(message))
        except (ValueError, TypeError):
            logger.warning("not an announcement: %.100r", message)

    def note(self, user: str, things: Iterable[Thing]) -> None:
        owner = self.owners.get(user)
        if owner is not None:
            owner.changed.update(things)
            self.stirred.set()

    # --- what goes on all the time ----------------------------------------------------------

    async def send_changes(self) -> None:
        """Read and send what has changed, round after round."""
        while True:
            await self.stirred.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self.stirred.clear()
            changed = [owner for owner in self.owners.values() if owner.changed]
            if not all(await asyncio.gather(*map(self.tell, changed))):
                await asyncio.sleep(PATIENCE_SECONDS)
                self.stirred.set()

    async def tell(self, owner: Owner) -> bool:
        """Send an owner what has changed; False if that is to be tried again."""
        taken = owner.take()
        try:
            owner.send(await self.ask(read_events, owner.uuid, taken))
        except AWAY as error:
            logger.warning("events wait for the database: %s", error)
            owner.changed |= taken
            return False
        except Exception:  # whatever is wrong with the objects of one owner, others hear of theirs
            logger.exception("events were not sent")
        if owner.changed:
            self.stirred.set()
        return True

    async def end_logins(self) -> None:
        """Close the sockets of those who logged out, or whom somebody shut out."""
        while True:
            await asyncio.sleep(LOGINS_SECONDS)
            sockets = {s: login for o in self.owners.values() for s, login in o.sockets.items()}
            if sockets:
                good = await self.ask(lasting, set(sockets.values()))
                for socket in [s for s, login in sockets.items() if login not in good]:
                    self.close(socket, CloseCode.POLICY_VIOLATION, "The login has ended.")

    async def sweep(self) -> None:
        """Find what announcements that were lost told of; a sweep that fails is made good later."""
        clock = asyncio.get_running_loop().time
        swept_at = clock()
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            began = clock()
            if self.owners:
                seconds = began - swept_at + SWEEP_OVERLAP
                listened = {
                    owner.uuid: min(seconds, began - owner.since) for owner in self.owners.values()
                }
                for user, things in await self.ask(changed_lately, listened):
                    self.note(user, things)
            swept_at = began

    def close(self, socket: ServerConnection, code: int, reason: str) -> None:
        """Close a socket without waiting for its other end."""
        task = asyncio.create_task(socket.close(code, reason))
        self.closing.add(task)
        task.add_done_callback(self.closing.discard)
