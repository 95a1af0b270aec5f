"""The web server, as it is deployed, answers everyone who keeps a connection open."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.service import running_service

pytestmark = pytest.mark.worker
CLIENTS = 1100  # a thousand, as they are shared out between the two processes at their worst
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture
def files() -> Iterator[None]:
    """Let this process have as many files open as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_no_connection_waits_for_another_to_close(
    tmp_path: Path, worker_id: str, files: None
) -> None:
    with running_service(tmp_path, worker_id, 0, as_deployed=True) as service, ExitStack() as held:
        address = httpx.URL(service.url)
        answers = []
        for _ in range(CLIENTS):
            client = socket.create_connection((address.host, address.port), timeout=10)
            held.enter_context(client)
            client.sendall(REQUEST)
            answers.append(client.recv(12))
        assert answers == [b"HTTP/1.1 200"] * CLIENTS
