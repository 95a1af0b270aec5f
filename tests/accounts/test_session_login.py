from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from drives.models import Drive
from tests.factories import GIB, PASSWORD, UserFactory
from tests.wire import API, faults_of

ACTION = f"{API}/accounts/action/"
JSON = "application/json"


@pytest.fixture
def browser() -> Client:
    """A client that is asked for CSRF tokens, as one on the network is."""
    return Client(enforce_csrf_checks=True)


def log_in(browser: Client, email: Any, password: Any = PASSWORD) -> Any:
    body = {"username": email, "password": password}
    return browser.post(f"{ACTION}?do=login", body, content_type=JSON)


def token(browser: Client) -> dict[str, str]:
    return {"X-CSRFToken": browser.cookies["csrftoken"].value}


def test_login_opens_a_session(browser: Client, owner: User) -> None:
    response = log_in(browser, owner.email)
    assert response.status_code == 200
    assert response.json() == {"action": "login", "result": "success", "uuid": str(owner.pk)}
    assert browser.get(f"{API}/profile/").json()["email"] == owner.email


def test_session_cookie_is_kept_from_scripts(browser: Client, owner: User) -> None:
    log_in(browser, owner.email)
    assert browser.cookies["sessionid"]["httponly"]
    assert browser.cookies["sessionid"]["samesite"] == "Lax"


@pytest.mark.parametrize("planted_by", ["nobody", "stranger"])
def test_login_leaves_a_planted_session(owner: User, stranger: User, planted_by: str) -> None:
    """Whoever knows a session key from before the login has nothing of it."""
    thief, victim = Client(), Client()
    thief.session.save()
    if planted_by == "stranger":
        thief.force_login(stranger)
    planted = thief.cookies["sessionid"].value
    victim.cookies["sessionid"] = planted
    assert log_in(victim, owner.email).status_code == 200
    assert victim.cookies["sessionid"].value != planted
    assert thief.get(f"{API}/profile/").status_code == 401


@pytest.mark.parametrize("password", ["wrong", PASSWORD + " ", "a\x00b"])
def test_login_with_a_wrong_password_is_refused(
    browser: Client, owner: User, password: str
) -> None:
    response = log_in(browser, owner.email, password)
    assert response.status_code in {400, 401}
    assert "sessionid" not in browser.cookies
    assert browser.get(f"{API}/profile/").status_code == 401


def test_refused_login_has_the_body_of_every_refusal(browser: Client, owner: User) -> None:
    response = log_in(browser, owner.email, "wrong")
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Basic realm="cloudjobs"'
    assert faults_of(response) == [("permission", None)]


@pytest.mark.django_db
def test_login_of_an_inactive_user_is_refused(browser: Client) -> None:
    assert log_in(browser, UserFactory(is_active=False).email).status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize("email", [None, 1, [], "", "a\x00b", "\ud800", "x" * 255])
def test_login_without_a_proper_email_is_a_fault(browser: Client, email: Any) -> None:
    response = log_in(browser, email)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "username")]


@pytest.mark.django_db
def test_login_without_anything_names_both_fields(browser: Client) -> None:
    response = browser.post(f"{ACTION}?do=login", {}, content_type=JSON)
    assert sorted(faults_of(response)) == [("validation", "password"), ("validation", "username")]


@pytest.mark.parametrize("query", ["", "?do=", "?do=nothing", "?do=log_in"])
def test_unknown_action_is_a_fault(client: Client, owner: User, query: str) -> None:
    client.force_login(owner)
    response = client.post(ACTION + query, {}, content_type=JSON)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "do")]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["check_login", "logout"])
def test_action_of_a_session_is_refused_without_one(browser: Client, name: str) -> None:
    response = browser.post(f"{ACTION}?do={name}", {}, content_type=JSON)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Basic realm="cloudjobs"'


def test_check_login_tells_who_is_there(browser: Client, owner: User) -> None:
    log_in(browser, owner.email)
    response = browser.post(
        f"{ACTION}?do=check_login", {}, content_type=JSON, headers=token(browser)
    )
    assert response.status_code == 200
    assert response.json() == {"action": "check_login", "result": "success", "uuid": str(owner.pk)}


def test_logout_ends_the_session(browser: Client, owner: User) -> None:
    log_in(browser, owner.email)
    response = browser.post(f"{ACTION}?do=logout", {}, content_type=JSON, headers=token(browser))
    assert response.json() == {"action": "logout", "result": "success", "uuid": str(owner.pk)}
    assert browser.get(f"{API}/profile/").status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "drives/"),
        ("delete", "drives/"),
        ("put", "profile/"),
        ("post", "accounts/action/?do=logout"),
        ("post", "accounts/action/?do=check_login"),
    ],
)
def test_session_without_csrf_token_changes_nothing(
    browser: Client, owner: User, method: str, path: str
) -> None:
    log_in(browser, owner.email)
    response = getattr(browser, method)(f"{API}/{path}", {}, content_type=JSON)
    assert response.status_code == 403
    assert faults_of(response) == [("permission", None)]
    assert browser.get(f"{API}/profile/").status_code == 200


def test_session_with_csrf_token_changes_things(browser: Client, owner: User) -> None:
    log_in(browser, owner.email)
    body = {"name": "a", "media": "disk", "size": GIB}
    response = browser.post(f"{API}/drives/", body, content_type=JSON, headers=token(browser))
    assert response.status_code == 201
    assert Drive.objects.get().owner == owner


def test_changed_password_ends_the_session(browser: Client, owner: User) -> None:
    log_in(browser, owner.email)
    owner.set_password("another password")
    owner.save()
    assert browser.get(f"{API}/profile/").status_code == 401


def test_action_is_asked_for_with_post(client: Client, owner: User) -> None:
    client.force_login(owner)
    response = client.get(f"{ACTION}?do=logout")
    assert response.status_code == 405
    assert faults_of(response) == [("validation", None)]
