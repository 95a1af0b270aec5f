"""Opening a web socket: who may, and how others are refused."""

import re
from contextlib import ExitStack

import httpx
import pytest
from django.conf import settings
from pytest_django import Settings
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from events.handshake import is_own_origin
from tests.events.conftest import METRICS_TOKEN, STRANGER
from tests.events.listening import cookie_of, event_of, open_with, status_of_refusal
from tests.service import Service, free_port

pytestmark = pytest.mark.worker


@pytest.fixture
def cookie(remote: httpx.Client) -> str:
    return cookie_of(remote)


def test_cookie_opens_a_socket(heard: Service, remote: httpx.Client, cookie: str) -> None:
    with open_with(heard, cookie) as client:
        remote.put("/profile/", json={"company": "one that listens"})
        event = event_of(client, "/api/2.0/profile/", company="one that listens")
        assert event["resource_type"] == "profile"
        assert event["object"] == remote.get("/profile/").json()


@pytest.mark.parametrize("cookie", ["", "x", "a" * 4000])
def test_socket_without_a_valid_cookie_is_refused(heard: Service, cookie: str) -> None:
    assert status_of_refusal(heard, cookie) == 401


def test_session_cookie_opens_no_socket(heard: Service) -> None:
    with httpx.Client(base_url=f"{heard.url}/api/2.0") as api:
        email, password = "owner@example.com", "a right password"
        body = {"username": email, "password": password}
        session = api.post("/accounts/action/", params={"do": "login"}, json=body)
        headers = {"Cookie": f"sessionid={session.cookies['sessionid']}"}
    with pytest.raises(InvalidStatus) as refused:
        connect(heard.events_url, additional_headers=headers)
    assert refused.value.response.status_code == 401


def test_cookie_of_another_service_is_refused(heard: Service, cookie: str) -> None:
    code = (
        "from accounts.event_logins import *; from accounts.models import User; user = "
        "User.objects.filter(is_active=True).first(); print(seal_login(EventLogin(str(user.pk), "
        "user.get_session_auth_hash())))"
    )
    shell = ("shell", "--no-imports", "-c", code)
    foreign = heard.manage(*shell, SECRET_KEY="of another service").strip()
    assert status_of_refusal(heard, foreign) == 401
    with open_with(heard, heard.manage(*shell).strip()):
        pass


def test_pages_of_other_sites_may_not_listen(heard: Service, cookie: str) -> None:
    assert status_of_refusal(heard, cookie, origin="https://elsewhere.example.com") == 403
    assert status_of_refusal(heard, cookie, origin="null") == 403


def test_program_may_name_the_service_as_its_origin(heard: Service, cookie: str) -> None:
    own = heard.events_url.replace("ws:", "http:").removesuffix("/websocket")
    with open_with(heard, cookie, origin=own):
        pass


@pytest.mark.parametrize(
    ("origin", "is_own"),
    [
        ("https://cloud.example.com", True),
        ("http://cloud.example.com", True),  # as Host says; TLS may have ended before
        ("https://other.example.com", True),
        ("https://pages.example.net", True),
        ("http://pages.example.net", False),
        ("https://example.com", False),
        ("https://cloud.example.com.evil.example", False),
        ("https://cloud.example.com:8443", False),
        ("cloud.example.com", False),
        ("", False),
    ],
)
def test_origin_is_that_of_the_host_or_trusted(
    settings: Settings, origin: str, is_own: bool
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://other.example.com", "https://*.example.net"]
    assert is_own_origin(origin, "cloud.example.com") == is_own


def test_unknown_host_is_refused(heard: Service, cookie: str) -> None:
    address = heard.events_url.replace("ws:", "http:")
    answer = httpx.get(address, headers={"Host": "elsewhere.example.com"})
    assert answer.status_code == 400


@pytest.mark.parametrize(("path", "status"), [("/", 404), ("/websocket/x", 404), ("//[", 404)])
def test_there_is_nothing_at_other_addresses(heard: Service, path: str, status: int) -> None:
    address = heard.events_url.replace("ws:", "http:").removesuffix("/websocket")
    assert httpx.get(address + path).status_code == status


def test_process_tells_that_it_is_alive(heard: Service) -> None:
    address = heard.events_url.replace("ws:", "http:").replace("/websocket", "/healthz")
    assert httpx.get(address).text == "ok\n"


def test_process_tells_how_many_sockets_are_open(heard: Service, cookie: str) -> None:
    address = heard.events_url.replace("ws:", "http:").replace("/websocket", "/metrics")
    right = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    with open_with(heard, cookie), open_with(heard, cookie):
        (open_now,) = re.findall(
            "^cloudjobs_event_sockets (.*)$", httpx.get(address, headers=right).text, re.MULTILINE
        )
        assert float(open_now) >= 2
    for wrong in ({}, {"Authorization": f"Bearer {METRICS_TOKEN}x"}, {"Authorization": "Bearer"}):
        assert httpx.get(address, headers=wrong).status_code == 404


def test_location_tells_the_address(heard: Service, remote: httpx.Client) -> None:
    (location,) = remote.get("/locations/").json()["objects"]
    assert location["websocket_url"] == heard.events_url


def test_user_has_so_many_sockets_and_no_more(heard: Service) -> None:
    with heard.client(STRANGER) as api, ExitStack() as opened:
        cookie = cookie_of(api)
        for _ in range(settings.EVENT_SOCKETS_PER_USER):
            opened.enter_context(open_with(heard, cookie))
        assert status_of_refusal(heard, cookie) == 429
        opened.close()
        with open_with(heard, cookie):
            pass


def test_second_process_for_one_home_says_that_there_is_one(heard: Service) -> None:
    if "REDIS_URL" in heard.env:
        pytest.skip("with Redis there may be several")
    with pytest.raises(AssertionError, match="Another process serves the events"):
        heard.manage("events", EVENTS_PORT=str(free_port()))
