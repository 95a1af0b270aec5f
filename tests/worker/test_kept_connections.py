"""A connection stays open for the next request, whatever became of the body of this one."""

import base64
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from uuid import uuid4

import httpx
import pytest

from tests.chunks import FORM, fields, form
from tests.factories import MIB
from tests.service import EMAIL, PASSWORD, Service

pytestmark = pytest.mark.worker
TIMES = 40  # it was lost now and then only
LOGIN = "Basic " + base64.b64encode(f"{EMAIL}:{PASSWORD}".encode()).decode()
ANY = f"/api/2.0/drives/{uuid4()}/"
BODIES = {
    "an action that takes none": ("POST", f"{ANY}action/?do=start", "application/json", b"{}"),
    "a wrong method": ("POST", "/api/2.0/capabilities/", "application/json", b" " * 300_000),
    "a wrong type": ("POST", "/api/2.0/drives/upload/", "text/plain", b"x" * 300_000),
}


@contextmanager
def connection(service: Service) -> Iterator[socket.socket]:
    address = httpx.URL(service.url)
    with socket.create_connection((address.host, address.port), timeout=30) as connected:
        yield connected


def ask(
    connected: socket.socket, method: str, path: str, kind: str = "", body: bytes = b"", **more: str
) -> HTTPResponse:
    """Send a request, its body behind its head, and return the answer, read to its end."""
    headers = {"Host": "127.0.0.1", "Content-Type": kind, "Content-Length": str(len(body)), **more}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    connected.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode())
    connected.sendall(body)
    answer = HTTPResponse(connected, method=method)
    answer.begin()
    answer.read()
    return answer


@pytest.mark.parametrize("case", BODIES)
def test_body_that_nobody_wanted_is_not_in_the_way(service: Service, case: str) -> None:
    with connection(service) as connected:
        for _ in range(TIMES):
            refused = ask(connected, *BODIES[case], Authorization=LOGIN)
            assert 400 <= refused.status < 500
            assert ask(connected, "GET", "/healthz").status == 200


def test_chunk_that_is_sent_again_is_not_in_the_way(service: Service) -> None:
    image = os.urandom(MIB)
    with service.client() as api:
        definition = {"name": "a", "media": "disk", "size": len(image)}
        (drive,) = api.post("/initupload/", json=definition).json()["objects"]
    path = f"/api/2.0/drives/{drive['uuid']}/upload/"
    body = form(fields(1, len(image), size=len(image)), image)
    with connection(service) as connected:
        for _ in range(TIMES):
            assert ask(connected, "POST", path, FORM, body, Authorization=LOGIN).status == 200
            assert ask(connected, "GET", "/healthz").status == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": LOGIN, "Content-Length": str(3 * MIB)}],
    ids=["stranger's", "large"],
)
def test_body_that_is_not_waited_for_ends_the_connection_as_announced(
    service: Service, headers: dict[str, str]
) -> None:
    for _ in range(TIMES):
        with connection(service) as connected:
            path, kind = "/api/2.0/drives/upload/", "text/plain"
            refused = ask(connected, "POST", path, kind, b"xy", **headers)
            assert (refused.status, refused.getheader("Connection")) in {
                (401, "close"),
                (415, "close"),
            }
