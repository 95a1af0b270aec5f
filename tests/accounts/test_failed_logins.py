"""Guessing passwords: after some wrong ones no more are hashed."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from accounts.tokens import create_token
from tests.accounts.test_basic_authentication import ask, counted, hashed
from tests.factories import PASSWORD
from tests.wire import API, faults_of

__all__ = ["counted"]  # a fixture

Login = Callable[[str, str], Any]


@pytest.fixture(autouse=True)
def limit(settings: Settings) -> None:
    settings.FAILED_LOGINS = 3


def log_in(email: str, password: str, address: str = "127.0.0.1") -> Any:
    said = {"username": email, "password": password}
    where = f"{API}/accounts/action/?do=login"
    return Client(REMOTE_ADDR=address).post(where, said, content_type="application/json")


def basic(email: str, password: str) -> Any:
    return ask(Client(), email, password)


@pytest.mark.parametrize("way", [basic, log_in])
@pytest.mark.parametrize("is_known", [True, False])
def test_no_more_passwords_are_hashed(
    counted: list[str], owner: User, way: Login, is_known: bool
) -> None:
    email = owner.email if is_known else "nobody@example.com"
    hashed.clear()
    assert [way(email, "wrong").status_code for _ in range(3)] == [401] * 3
    assert hashed
    hashed.clear()
    response = way(email, PASSWORD)
    assert (response.status_code, faults_of(response)) == (429, [("validation", None)])
    assert 1 <= int(response["Retry-After"]) <= 300
    assert hashed == []


def test_password_that_was_right_goes_on_letting_in(owner: User) -> None:
    assert basic(owner.email, PASSWORD).status_code == 200
    for _ in range(5):
        basic(owner.email, "wrong")
    assert basic(owner.email, PASSWORD).status_code == 200


def test_email_counts_in_any_case(owner: User) -> None:
    for email in (owner.email, owner.email.upper(), owner.email.title()):
        basic(email, "wrong")
    assert basic(owner.email, PASSWORD).status_code == 429


def test_others_are_not_affected(owner: User, stranger: User) -> None:
    for _ in range(5):
        log_in(owner.email, "wrong")
    assert log_in(stranger.email, PASSWORD).status_code == 200
    assert log_in(owner.email, "wrong", "192.0.2.7").status_code == 401
    assert log_in(owner.email, PASSWORD).status_code == 429


def test_header_of_a_proxy_that_is_not_ours_changes_nothing(owner: User) -> None:
    for number in range(5):
        client = Client(headers={"x-forwarded-for": f"192.0.2.{number}"})
        ask(client, owner.email, "wrong")
    assert basic(owner.email, PASSWORD).status_code == 429


def test_address_that_tries_many_emails_is_stopped(counted: list[str], owner: User) -> None:
    for number in range(30):
        assert log_in(f"user{number}@example.net", "wrong").status_code == 401
    hashed.clear()
    assert log_in(owner.email, PASSWORD).status_code == 429
    assert hashed == []
    assert log_in(owner.email, PASSWORD, "192.0.2.7").status_code == 200


def test_email_that_many_addresses_try_is_stopped(counted: list[str], owner: User) -> None:
    for number in range(30):
        assert log_in(owner.email, "wrong", f"192.0.2.{number}").status_code == 401
    hashed.clear()
    assert log_in(owner.email, PASSWORD, "192.0.2.200").status_code == 429
    assert hashed == []


def test_stopped_email_leaves_in_who_is_in(owner: User) -> None:
    _, text = create_token(owner, "a program")
    session = Client()
    session.force_login(owner)
    assert basic(owner.email, PASSWORD).status_code == 200
    for number in range(30):
        log_in(owner.email, "wrong", f"192.0.2.{number}")
    token = Client(headers={"authorization": f"Bearer {text}"})
    answers = [client.get(f"{API}/profile/") for client in (session, token)]
    assert [answer.status_code for answer in (*answers, basic(owner.email, PASSWORD))] == [200] * 3


def test_clients_behind_our_proxy_are_told_apart(owner: User, settings: Settings) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}

    def ask_from(told: str) -> int:
        client = Client(headers={"x-forwarded-for": told})
        return int(ask(client, owner.email, "wrong").status_code)

    assert [ask_from("192.0.2.1") for _ in range(4)] == [401, 401, 401, 429]
    assert ask_from("192.0.2.2") == 401
    assert ask_from("192.0.2.3, 192.0.2.1") == 429  # the proxy's word comes last


def test_others_than_our_proxy_cannot_pretend_an_address(owner: User, settings: Settings) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    statuses = []
    for number in range(4):
        pretended = {"x-forwarded-for": f"192.0.2.{number}"}
        client = Client(headers=pretended, REMOTE_ADDR="203.0.113.9")
        statuses.append(ask(client, owner.email, "wrong").status_code)
    assert statuses == [401, 401, 401, 429]


def test_right_password_in_time_lets_in(owner: User) -> None:
    assert [basic(owner.email, "wrong").status_code for _ in range(2)] == [401, 401]
    assert log_in(owner.email, PASSWORD).status_code == 200


def test_nothing_means_no_limit(owner: User, settings: Settings) -> None:
    settings.FAILED_LOGINS = 0
    assert [basic(owner.email, "wrong").status_code for _ in range(5)] == [401] * 5


@pytest.mark.parametrize("page", ["/login/", "/admin/login/"])
def test_pages_look_at_no_more_passwords(counted: list[str], page: str) -> None:
    User.objects.create_superuser("operator@example.com", PASSWORD)
    said = {"username": "operator@example.com", "password": "wrong"}
    client = Client()
    for _ in range(3):
        assert "Too many" not in client.post(page, said).content.decode()
    hashed.clear()
    answer = client.post(page, said | {"password": PASSWORD})
    assert "Too many wrong passwords" in answer.content.decode()
    assert hashed == []
    assert "sessionid" not in client.cookies


def test_old_password_is_not_guessed_from_a_session(counted: list[str], owner: User) -> None:
    session = Client()
    session.force_login(owner)
    said = {"new_password1": "a new password", "new_password2": "a new password"}
    for _ in range(3):
        session.post("/profile/password/", said | {"old_password": "wrong"})
    hashed.clear()
    answer = session.post("/profile/password/", said | {"old_password": PASSWORD})
    assert "Too many wrong passwords" in answer.content.decode()
    assert hashed == []


def test_operators_change_their_password_on_the_same_page(owner: User) -> None:
    session = Client()
    session.force_login(User.objects.create_superuser("operator@example.com", PASSWORD))
    assert session.get("/admin/password_change/")["Location"] == "/profile/password/"
