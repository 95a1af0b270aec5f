"""Five hundred clients of five users, while twenty clones run: each hears its own, all of it."""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.events.listening import cookie_of
from tests.service import PASSWORD, Service, stop_tree
from tests.worker.drives import clone, finished, upload

pytestmark = pytest.mark.worker
MIB = 1024**2
USERS, SOCKETS, CLONES = 5, 100, 4  # of each user
MOST_PER_SOCKET = 64 * 1024  # bytes of memory


@dataclass
class Person:
    """A user, what they may hear of, and what each of their sockets has heard."""

    email: str
    cookie: str = ""
    own: set[str] = field(default_factory=set)
    heard: list[Counter[str]] = field(default_factory=list)
    successes: list[set[str]] = field(default_factory=list)
    jobs: set[str] = field(default_factory=set)


@pytest.fixture
def crowded(heard: Service) -> Iterator[Service]:
    """The shared service, with a process for events that nobody has listened to yet."""
    restart_events(heard)
    yield heard
    restart_events(heard)


def restart_events(service: Service) -> None:
    assert service.events is not None
    stop_tree(service.events)
    service.start_events()


@pytest.fixture
def people(crowded: Service) -> list[Person]:
    emails = [f"user{number}@example.com" for number in range(USERS)]
    code = (
        "from accounts.models import User\n"
        f"for email in {emails}: User.objects.create_user(email, {PASSWORD!r})"
    )
    crowded.manage("shell", "--no-imports", "-c", code)
    return [Person(email) for email in emails]


def log_in(service: Service, person: Person) -> None:
    with service.client(person.email) as api:
        person.cookie = cookie_of(api)
        person.own = {"/api/2.0/profile/"}


def work(service: Service, person: Person) -> None:
    """Have a drive cloned several times, and wait for the ends."""
    with service.client(person.email) as api:
        source = upload(api, os.urandom(MIB), "dssd")
        person.own.add(f"/api/2.0/drives/{source}/")
        for new in [clone(api, source) for _ in range(CLONES)]:
            person.jobs.add(new["jobs"][0]["resource_uri"])
            person.own |= {new["resource_uri"], new["jobs"][0]["resource_uri"]}
        assert {finished(api, uri.split("/")[-2])["state"] for uri in person.jobs} == {"success"}


async def listen(client: ClientConnection, person: Person) -> None:
    """Count what a socket hears, by path, for ever."""
    counted, done = Counter[str](), set[str]()
    person.heard.append(counted)
    person.successes.append(done)
    async for text in client:
        event: dict[str, Any] = json.loads(text)
        counted[event["resource_uri"]] += 1
        if event["resource_type"] == "jobs" and event["object"]["state"] == "success":
            done.add(event["resource_uri"])


def memory_of(service: Service) -> int:
    assert service.events is not None
    return int(psutil.Process(service.events.pid).memory_info().rss)


def have_heard_all(people: list[Person]) -> bool:
    return all(done == person.jobs for person in people for done in person.successes)


async def until_heard(people: list[Person]) -> None:
    async with asyncio.timeout(20):
        while not have_heard_all(people):
            await asyncio.sleep(0.05)


async def stop_events(service: Service) -> None:
    """Stop the process that serves events, as a supervisor does."""
    assert service.events is not None
    service.events.terminate()
    assert await asyncio.to_thread(service.events.wait, 20) == 0


async def crowd(service: Service, people: list[Person]) -> dict[str, float]:
    """Connect everybody, let the clones run, and return figures."""
    before = memory_of(service)
    async with AsyncExitStack() as opened:
        clients = [
            await opened.enter_async_context(
                connect(
                    service.events_url,
                    additional_headers={"Cookie": f"async_auth={person.cookie}"},
                    compression=None,
                )
            )
            for person in people
            for _ in range(SOCKETS)
        ]
        connected = memory_of(service)
        owners = [person for person in people for _ in range(SOCKETS)]
        ears = [
            asyncio.create_task(listen(client, person))
            for client, person in zip(clients, owners, strict=True)
        ]
        began = time.monotonic()
        await asyncio.gather(*(asyncio.to_thread(work, service, person) for person in people))
        ended = time.monotonic()
        await until_heard(people)
        heard = time.monotonic()
        after = memory_of(service)
        await stop_events(service)
        stopped = time.monotonic()
        await asyncio.gather(*ears)  # each ends, as its socket was closed in good form
    return {
        "KiB for a socket": (connected - before) / len(clients) / 1024,
        "KiB for a socket at the end": (after - before) / len(clients) / 1024,
        "seconds of clones": ended - began,
        "seconds until all had heard": heard - ended,
        "seconds to stop": stopped - heard,
    }


def test_five_hundred_clients_hear_their_own_and_nothing_else(
    crowded: Service, people: list[Person]
) -> None:
    for person in people:
        log_in(crowded, person)
    figures = asyncio.run(crowd(crowded, people))
    events = sum(sum(heard.values()) for person in people for heard in person.heard)
    shown = ", ".join(f"{name}: {value:.1f}" for name, value in figures.items())
    sys.stdout.write(f"{USERS * SOCKETS} sockets, {events} events; {shown}\n")
    assert sum(len(person.heard) for person in people) == USERS * SOCKETS
    for person in people:
        assert all(set(heard) <= person.own for heard in person.heard)
        assert all(set(heard) >= person.own - {"/api/2.0/profile/"} for heard in person.heard)
    assert figures["KiB for a socket at the end"] * 1024 < MOST_PER_SOCKET
    assert figures["seconds to stop"] < 10
