"""A slow hasher stands at the edge: it counts how often a password is really hashed."""

import base64
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from tests.factories import PASSWORD, UserFactory
from tests.wire import API, faults_of

hashed: list[str] = []  # every password that went through the hasher


class CountingHasher(MD5PasswordHasher):
    algorithm = "counting"

    def encode(self, password: str, salt: str) -> str:
        hashed.append(password)
        return super().encode(password, salt)


@pytest.fixture
def counted(db: None, settings: Settings) -> list[str]:
    settings.PASSWORD_HASHERS = [f"{__name__}.{CountingHasher.__name__}"]
    hashed.clear()
    return hashed


def header(email: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{email}:{password}".encode()).decode()


def ask(client: Client, email: str, password: str = PASSWORD) -> Any:
    return client.get(f"{API}/profile/", headers={"authorization": header(email, password)})


def assert_refused(response: Any) -> None:
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Basic realm="cloudjobs"'
    assert faults_of(response) == [("permission", None)]


def test_right_password_lets_in(client: Client, owner: User) -> None:
    response = ask(client, owner.email)
    assert response.status_code == 200
    assert response.json()["uuid"] == str(owner.pk)


def test_email_is_taken_in_any_case(client: Client, owner: User) -> None:
    assert ask(client, owner.email.upper()).status_code == 200


@pytest.mark.parametrize("password", ["wrong", "", PASSWORD.upper(), PASSWORD + " ", "a\x00b", "ß"])
def test_wrong_password_is_refused(client: Client, owner: User, password: str) -> None:
    assert_refused(ask(client, owner.email, password))


@pytest.mark.django_db
@pytest.mark.parametrize("email", ["nobody@example.com", "", "a\x00b@example.com", "x" * 5000])
def test_unknown_email_is_refused(client: Client, email: str) -> None:
    assert_refused(ask(client, email))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "value", ["Basic", "Basic !!!", "Basic a b", "Basic YQ==", "Basic /w==", "Token x", "x"]
)
def test_header_that_is_no_basic_one_is_refused(client: Client, value: str) -> None:
    assert_refused(client.get(f"{API}/profile/", headers={"authorization": value}))


@pytest.mark.django_db
def test_inactive_user_is_refused(client: Client) -> None:
    assert_refused(ask(client, UserFactory(is_active=False).email))


def test_user_without_a_usable_password_is_refused(client: Client, owner: User) -> None:
    owner.set_unusable_password()
    owner.save()
    assert_refused(ask(client, owner.email))


def test_password_may_hold_a_colon_and_any_letter(client: Client, owner: User) -> None:
    owner.set_password("pass:wörd:💾")
    owner.save()
    assert ask(client, owner.email, "pass:wörd:💾").status_code == 200


def test_right_password_is_hashed_once(client: Client, counted: list[str]) -> None:
    user = UserFactory()
    counted.clear()
    assert [ask(client, user.email).status_code for _ in range(3)] == [200, 200, 200]
    assert counted == [PASSWORD]


def test_wrong_password_is_never_remembered(client: Client, counted: list[str]) -> None:
    user = UserFactory()
    counted.clear()
    for _ in range(2):
        assert_refused(ask(client, user.email, "wrong"))
    assert counted == ["wrong", "wrong"]


def test_unknown_email_takes_a_hash_like_a_known_one(client: Client, counted: list[str]) -> None:
    UserFactory()
    counted.clear()
    assert_refused(ask(client, "nobody@example.com", "guess"))
    assert counted == ["guess"]


def test_changed_password_ends_the_remembered_one_at_once(client: Client, owner: User) -> None:
    assert ask(client, owner.email).status_code == 200
    owner.set_password("another password")
    owner.save()
    assert_refused(ask(client, owner.email))
    assert ask(client, owner.email, "another password").status_code == 200


def test_closed_account_is_refused_though_its_password_is_remembered(
    client: Client, owner: User
) -> None:
    assert ask(client, owner.email).status_code == 200
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert_refused(ask(client, owner.email))


def test_password_of_one_user_does_not_open_another(client: Client, owner: User) -> None:
    other = UserFactory(password="the other password")
    assert ask(client, owner.email).status_code == 200
    assert_refused(ask(client, other.email))


def test_page_of_another_site_changes_nothing_with_a_remembered_password(owner: User) -> None:
    def change(company: str, **headers: str) -> int:
        login = {"authorization": header(owner.email, PASSWORD)}
        body = {"company": company}
        address, kind = f"{API}/profile/", "application/json"
        return Client().put(address, body, kind, headers=login | headers).status_code

    assert change("a", origin="https://evil.example") == 403
    assert change("a", origin="null") == 403
    assert change("b") == change("c", origin="http://testserver") == 200
    owner.profile.refresh_from_db()
    assert owner.profile.company == "c"


def test_basic_needs_no_csrf_token(owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.put(
        f"{API}/profile/",
        {"company": f"since {timezone.now().year}"},
        content_type="application/json",
        headers={"authorization": header(owner.email, PASSWORD)},
    )
    assert response.status_code == 200
