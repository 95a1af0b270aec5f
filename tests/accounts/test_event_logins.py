"""The cookie for events: who gets it, and until when it holds good."""

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.event_logins import (
    COOKIE_SECONDS,
    PURPOSE,
    EventLogin,
    lasting,
    open_login,
    seal_login,
)
from accounts.models import ApiToken, User
from accounts.tokens import create_token, revoke_token
from cloudjobs.sealing import sealer
from tests.factories import PASSWORD
from tests.wire import API, faults_of

ACTION = f"{API}/accounts/action/?do=authenticate_asynchronous"


def ask(client: Client, **headers: str) -> Any:
    return client.post(ACTION, {}, content_type="application/json", headers=headers)


def login_from(response: Any) -> EventLogin:
    """Return the login in the cookie of an answer."""
    assert response.status_code == 200
    login = open_login(response.cookies["async_auth"].value)
    assert login is not None
    return login


@pytest.fixture
def by_password(owner: User) -> EventLogin:
    return EventLogin(str(owner.pk), owner.get_session_auth_hash())


@pytest.fixture
def by_session(owner: User, web: Client) -> EventLogin:
    return login_from(ask(web))


@pytest.fixture
def by_token(owner: User) -> EventLogin:
    _, text = create_token(owner, "a program")
    return login_from(ask(Client(), authorization=f"Bearer {text}"))


def test_cookie_is_for_the_web_socket_alone(owner: User, web: Client) -> None:
    response = ask(web)
    assert response.json() == {
        "action": "authenticate_asynchronous",
        "result": "success",
        "uuid": str(owner.pk),
    }
    cookie = response.cookies["async_auth"]
    kept = (cookie["path"], cookie["samesite"], bool(cookie["httponly"]), cookie["max-age"])
    assert kept == ("/websocket", "Strict", True, COOKIE_SECONDS)


def test_cookie_is_sent_over_tls_alone_if_it_came_so(owner: User, web: Client) -> None:
    secure = web.post(ACTION, {}, content_type="application/json", secure=True)
    assert secure.cookies["async_auth"]["secure"]
    assert not ask(web).cookies["async_auth"]["secure"]


def test_anonymous_gets_no_cookie(anonymous_web: Client) -> None:
    response = ask(anonymous_web)
    assert response.status_code == 401
    assert faults_of(response) == [("permission", None)]
    assert "async_auth" not in response.cookies


def test_session_needs_its_csrf_token(owner: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    assert ask(browser).status_code == 403


def test_cookie_holds_neither_session_nor_password_in_clear(
    owner: User, by_session: EventLogin
) -> None:
    sealed = seal_login(by_session)
    assert by_session.session not in sealed
    assert (by_session.user, by_session.token) == (str(owner.pk), "")
    assert "=" not in sealed


def test_login_by_password_is_opened_as_it_was_sealed(by_password: EventLogin) -> None:
    assert open_login(seal_login(by_password)) == by_password
    assert lasting({by_password}) == {by_password}


@pytest.mark.parametrize("cookie", ["", "x", "ü", "gAAAA", "a" * 3000, "=" * 8, "\x00"])
def test_nonsense_opens_nothing(cookie: str) -> None:
    assert open_login(cookie) is None


def test_changed_cookie_opens_nothing(by_password: EventLogin) -> None:
    sealed = seal_login(by_password)
    middle = len(sealed) // 2
    other = "A" if sealed[middle] != "A" else "B"
    assert open_login(sealed[:middle] + other + sealed[middle + 1 :]) is None


def test_what_was_sealed_for_another_purpose_opens_nothing() -> None:
    assert open_login(sealer(b"something else").encrypt(b"{}").decode()) is None


@pytest.mark.parametrize(("age", "opens"), [(-60, True), (60, False)])
def test_cookie_opens_for_an_hour(by_password: EventLogin, age: int, opens: bool) -> None:
    text = sealer(PURPOSE).decrypt(seal_login(by_password) + "=" * 3)
    old = sealer(PURPOSE).encrypt_at_time(text, int(time.time()) - COOKIE_SECONDS - age)
    assert (open_login(old.decode()) is not None) == opens


def test_logins_last(by_password: EventLogin, by_session: EventLogin, by_token: EventLogin) -> None:
    assert lasting({by_password, by_session, by_token}) == {by_password, by_session, by_token}


def test_logout_ends_the_login_of_that_session_alone(
    web: Client, by_password: EventLogin, by_session: EventLogin
) -> None:
    web.post(f"{API}/accounts/action/?do=logout")
    assert lasting({by_password, by_session}) == {by_password}


def test_expired_session_ends_its_login(by_session: EventLogin) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert lasting({by_session}) == set()


def test_revoked_token_ends_its_login(owner: User, by_token: EventLogin) -> None:
    assert revoke_token(ApiToken.objects.get().pk, owner)
    assert lasting({by_token}) == set()


def test_expired_token_ends_its_login(by_token: EventLogin) -> None:
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert lasting({by_token}) == set()


def test_new_password_ends_all_logins(
    owner: User, by_password: EventLogin, by_session: EventLogin, by_token: EventLogin
) -> None:
    owner.set_password(PASSWORD + "!")
    owner.save()
    assert lasting({by_password, by_session, by_token}) == set()


def test_inactive_user_has_no_logins(
    owner: User, by_password: EventLogin, by_session: EventLogin, by_token: EventLogin
) -> None:
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert lasting({by_password, by_session, by_token}) == set()


def test_login_is_of_no_other_user(stranger: User, by_password: EventLogin) -> None:
    assert lasting({replace(by_password, user=str(stranger.pk))}) == set()
