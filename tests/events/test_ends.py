"""What ends a web socket: the end of its login, and a client that does not behave."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import psutil
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.events.conftest import STRANGER
from tests.events.listening import cookie_of, deaf_socket, listening, open_with
from tests.service import PASSWORD, Service

pytestmark = pytest.mark.worker
MIB = 1024**2
LARGE_META = dict.fromkeys(("one", "two", "three"), 9_900 * "x")


def code_of_end(client: ClientConnection, timeout: float = 15) -> int:
    """Read all that comes until the socket is closed, and return with which code."""
    try:
        while True:
            client.recv(timeout)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 1006


@contextmanager
def with_session(service: Service, email: str) -> Iterator[httpx.Client]:
    """Yield a client that is logged in by a session."""
    with httpx.Client(base_url=f"{service.url}/api/2.0", timeout=60) as api:
        body = {"username": email, "password": PASSWORD}
        assert api.post("/accounts/action/", params={"do": "login"}, json=body).status_code == 200
        api.headers["X-CSRFToken"] = api.cookies["csrftoken"]
        yield api


def change_users(service: Service, *changes: str) -> None:
    """Run statements on users, as the admin might."""
    code = "\n".join(["from accounts.models import User", *changes])
    service.manage("shell", "--no-imports", "-c", code)


def test_socket_ends_with_its_login(heard: Service) -> None:
    names = ("leaves", "renews", "closed", "stays")
    emails = {name: f"{name}@example.com" for name in names}
    made = (f"User.objects.create_user({email!r}, {PASSWORD!r})" for email in emails.values())
    change_users(heard, *made)
    with (
        with_session(heard, emails["leaves"]) as leaving,
        open_with(heard, cookie_of(leaving)) as logged_out,
        listening(heard, emails["renews"]) as new_password,
        listening(heard, emails["closed"]) as inactive,
        listening(heard, emails["stays"]) as staying,
    ):
        leaving.post("/accounts/action/", params={"do": "logout"})
        change_users(
            heard,
            f"User.objects.filter(email={emails['closed']!r}).update(is_active=False)",
            f"user = User.objects.get(email={emails['renews']!r})",
            "user.set_password('another one'); user.save()",
        )
        assert {code_of_end(each) for each in (logged_out, new_password, inactive)} == {1008}
        with pytest.raises(TimeoutError):
            staying.recv(0.2)


def test_client_that_does_not_read_is_cut_off(heard: Service) -> None:
    wish = {"cpu": 1000, "mem": 512 * MIB, "vnc_password": "x", "meta": LARGE_META}
    servers = [{**wish, "name": f"large-{number}"} for number in range(50)]
    assert heard.events is not None
    process = psutil.Process(heard.events.pid)
    with heard.client(STRANGER) as api:
        cookie = cookie_of(api)
        with (
            open_with(heard, cookie, sock=deaf_socket(heard.events_url)) as deaf,
            open_with(heard, cookie) as reading,
        ):
            before = process.memory_info().rss
            for _ in range(4):
                assert api.post("/servers/", json={"objects": servers}).status_code == 201
                for _ in servers:
                    reading.recv(10)
            assert process.memory_info().rss - before < 32 * MIB
            assert code_of_end(deaf) == 1006


@pytest.mark.parametrize(("size", "times", "code"), [(10, 101, 1008), (2000, 1, 1009)])
def test_client_that_says_much_is_shut_out(
    heard: Service, size: int, times: int, code: int
) -> None:
    with listening(heard, STRANGER) as client:
        with suppress(ConnectionClosed):  # while it still speaks, if the server is fast
            for _ in range(times):
                client.send("x" * size)
        assert code_of_end(client) == code


def test_what_a_client_says_changes_nothing(heard: Service) -> None:
    with listening(heard, STRANGER) as client, heard.client(STRANGER) as api:
        for said in ("", '{"subscribe": "everything"}', b"\x00\xff"):
            client.send(said)
        client.ping().wait(10)
        api.put("/profile/", json={"company": "still there"})
        assert "still there" in str(client.recv(10))
