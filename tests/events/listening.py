"""Clients of the web socket, as a program has them."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.service import EMAIL, Service

Event = dict[str, Any]
PATIENCE = 20  # seconds


def cookie_of(api: httpx.Client) -> str:
    """Ask for the cookie that opens a web socket."""
    answer = api.post("/accounts/action/", params={"do": "authenticate_asynchronous"}, json={})
    assert answer.status_code == 200, answer.text
    return answer.cookies["async_auth"]


def open_with(service: Service, cookie: str, **options: Any) -> ClientConnection:
    headers = {"Cookie": f"async_auth={cookie}", **options.pop("headers", {})}
    url = service.events_url
    return connect(url, additional_headers=headers, max_size=None, compression=None, **options)


@contextmanager
def listening(service: Service, email: str = EMAIL) -> Iterator[ClientConnection]:
    """Yield a web socket of a user."""
    with service.client(email) as api, open_with(service, cookie_of(api)) as client:
        yield client


def status_of_refusal(service: Service, cookie: str, **options: Any) -> int:
    """Return the status with which a web socket is refused."""
    with pytest.raises(InvalidStatus) as refused:
        open_with(service, cookie, **options)
    return refused.value.response.status_code


def events_until(client: ClientConnection, is_last: Callable[[Event], bool]) -> list[Event]:
    """Return the events up to the one that is waited for."""
    events = []
    while not events or not is_last(events[-1]):
        events.append(json.loads(client.recv(PATIENCE)))
    return events


def event_of(client: ClientConnection, path: str, **values: Any) -> Event:
    """Wait for the event of an object with these values, and return it."""

    def is_last(event: Event) -> bool:
        found = event["object"]
        return event["resource_uri"] == path and (
            found is not None and values.items() <= found.items()
        )

    return events_until(client, is_last)[-1]


def events_of(client: ClientConnection, wanted: dict[str, dict[str, Any]]) -> dict[str, Event]:
    """Wait for one event of each object with these values, in any order; return them by path."""
    found: dict[str, Event] = {}

    def is_last(event: Event) -> bool:
        path, shown = event["resource_uri"], event["object"]
        if shown is not None and path in wanted and wanted[path].items() <= shown.items():
            found[path] = event
        return found.keys() == wanted.keys()

    events_until(client, is_last)
    return found


def deletion_of(client: ClientConnection, path: str) -> Event:
    """Wait for the event that tells that an object is gone, and return it."""
    gone = {"resource_uri": path, "object": None}
    return events_until(client, lambda event: gone.items() <= event.items())[-1]


def is_silent(client: ClientConnection, seconds: float) -> bool:
    """Does nothing come within so many seconds?"""
    try:
        client.recv(seconds)
    except TimeoutError:
        return True
    return False


def deaf_socket(address: str) -> socket.socket:
    """Return a connection that takes no more than a few bytes before somebody reads them."""
    host, port = address.removeprefix("ws://").partition("/")[0].split(":")
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect((host, int(port)))
    return deaf
