"""How much a user may ask: counted by the minute, answered with 429 and a time to come back."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tokens import create_token
from cloudjobs.api import counting
from tests.accounts.test_basic_authentication import ask
from tests.wire import API, faults_of

Clock = Callable[[float], None]


@pytest.fixture(autouse=True)
def at(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Let it be a certain second of some minute."""

    def put(second: float) -> None:
        monkeypatch.setattr(counting.time, "time", lambda: 60 * 20_000_000 + second)

    put(12.3)
    return put


@pytest.fixture
def limits(settings: Settings) -> Settings:
    settings.REQUESTS_PER_MINUTE, settings.DELETES_PER_MINUTE = 5, 2
    return settings


def statuses(client: APIClient, count: int, method: str = "get", path: str = "jobs/") -> list[int]:
    return [getattr(client, method)(f"{API}/{path}").status_code for _ in range(count)]


@pytest.mark.usefixtures("limits")
def test_too_many_requests_are_refused(api: APIClient) -> None:
    assert statuses(api, 6) == [200] * 5 + [429]
    response = api.get(f"{API}/drives/")
    assert response["Retry-After"] == "48"
    assert faults_of(response) == [("validation", None)]


@pytest.mark.usefixtures("limits")
def test_next_minute_begins_anew(api: APIClient, at: Clock) -> None:
    statuses(api, 9)
    at(59.99)
    assert api.get(f"{API}/jobs/")["Retry-After"] == "1"
    at(60)
    assert statuses(api, 6) == [200] * 5 + [429]


@pytest.mark.usefixtures("limits")
def test_each_user_counts_alone(api: APIClient, stranger_api: APIClient) -> None:
    statuses(api, 9)
    assert statuses(stranger_api, 1) == [200]


@pytest.mark.usefixtures("limits")
def test_deletes_have_a_limit_of_their_own(api: APIClient) -> None:
    path = "drives/12345678-1234-1234-1234-123456789abc/"
    assert statuses(api, 3, "delete", path) == [404, 404, 429]
    assert statuses(api, 2) == [200, 200]


@pytest.mark.usefixtures("limits")
def test_all_ways_to_log_in_count_together(owner: User) -> None:
    _, text = create_token(owner, "a program")
    session, program = Client(), Client(headers={"authorization": f"Bearer {text}"})
    session.force_login(owner)
    asked = [one.get(f"{API}/jobs/").status_code for one in (session, program) * 3]
    assert asked == [200] * 5 + [429]


@pytest.mark.usefixtures("limits")
def test_anonymous_requests_are_asked_to_log_in(anonymous_api: APIClient) -> None:
    assert statuses(anonymous_api, 7) == [401] * 7


def test_nothing_means_no_limit(api: APIClient, limits: Settings) -> None:
    limits.REQUESTS_PER_MINUTE = limits.DELETES_PER_MINUTE = 0
    assert statuses(api, 7) == [200] * 7


def test_documented_limits_are_the_default(settings: Settings) -> None:
    assert (settings.REQUESTS_PER_MINUTE, settings.DELETES_PER_MINUTE) == (10_000, 1_000)


@pytest.mark.usefixtures("limits")
def test_cache_that_is_away_lets_everything_pass(
    api: APIClient, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def away(*args: Any, **kwargs: Any) -> None:
        asked.append(args)
        raise ConnectionError("the cache is away")

    for method in ("incr", "get"):
        monkeypatch.setattr(caches["counters"], method, away)
    monkeypatch.setattr(counting, "away_until", 0.0)
    assert statuses(api, 7) == [200] * 7
    assert ask(Client(), owner.email).status_code == 200
    assert ask(Client(), owner.email, "wrong").status_code == 401
    assert len(asked) == 1
