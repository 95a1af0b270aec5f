"""API tokens: made and revoked on the profile page, and what they open."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.models import ApiToken, User
from accounts.tokens import create_token
from cloudjobs.api.exceptions import Refused
from tests.factories import UserFactory
from tests.wire import API, assert_as_many, faults_of, queries_of

MAKE = "/profile/tokens/"


def ask(token: str, scheme: str = "Bearer", path: str = "profile/") -> Any:
    return Client().get(f"{API}/{path}", headers={"authorization": f"{scheme} {token}"})


def assert_refused(response: Any) -> None:
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="cloudjobs", error="invalid_token"'
    assert faults_of(response) == [("permission", None)]


@pytest.fixture
def page(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_token_lets_in(owner: User, scheme: str) -> None:
    _, text = create_token(owner, "a program")
    response = ask(text, scheme)
    assert response.status_code == 200
    assert response.json()["uuid"] == str(owner.pk)


def test_token_changes_things_without_a_csrf_token(owner: User) -> None:
    _, text = create_token(owner, "a program")
    response = Client(enforce_csrf_checks=True).put(
        f"{API}/profile/",
        {"company": "new"},
        content_type="application/json",
        headers={"authorization": f"Bearer {text}"},
    )
    assert response.json()["company"] == "new"


@pytest.mark.parametrize(
    "text", ["", "x", "cj_", "cj_" + "x" * 43, "x" * 100_000, "ß", "a b", "\x00"]
)
def test_unknown_token_is_refused(db: None, text: str) -> None:
    assert_refused(ask(text))


def test_unknown_token_is_refused_by_account_actions_alike(db: None) -> None:
    said = {"authorization": "Bearer cj_x"}
    assert_refused(Client().post(f"{API}/accounts/action/?do=check_login", headers=said))


def test_token_of_another_scheme_is_refused(owner: User) -> None:
    _, text = create_token(owner, "a program")
    assert ask(text, "Token").status_code == 401


def test_tokens_differ_and_are_not_stored(owner: User) -> None:
    made = [create_token(owner, "a program") for _ in range(20)]
    assert len({text for _, text in made}) == 20
    assert all(len(text) >= 43 for _, text in made)
    stored = str(list(ApiToken.objects.values()))
    assert not any(text in stored for _, text in made)


def test_digest_is_keyed(owner: User, settings: Any) -> None:
    _, text = create_token(owner, "a program")
    settings.SECRET_KEY = "another"
    assert_refused(ask(text))


def test_expired_token_is_refused(owner: User) -> None:
    now = timezone.now()
    _, young = create_token(owner, "a", now + timedelta(minutes=1))
    _, old = create_token(owner, "b", now - timedelta(seconds=1))
    assert ask(young).status_code == 200
    assert_refused(ask(old))


def test_inactive_user_is_refused_at_once(owner: User) -> None:
    _, text = create_token(owner, "a program")
    assert ask(text).status_code == 200
    User.objects.update(is_active=False)
    assert_refused(ask(text))


def test_use_is_noted_once_a_minute(owner: User) -> None:
    token, text = create_token(owner, "a program")
    ask(text)
    token.refresh_from_db()
    first = token.used_at
    assert first
    ask(text)
    token.refresh_from_db()
    assert token.used_at == first
    ApiToken.objects.update(used_at=first - timedelta(minutes=2))
    ask(text)
    token.refresh_from_db()
    assert token.used_at
    assert token.used_at >= first


def test_token_costs_one_query(owner: User) -> None:
    _, text = create_token(owner, "a program")
    ask(text)
    by_token = queries_of(lambda: ask(text))
    client = Client()
    client.force_login(owner)
    assert_as_many(by_token[1:], queries_of(lambda: client.get(f"{API}/profile/"))[2:])


def test_token_is_made_and_shown_once(page: Client, owner: User) -> None:
    answer = page.post(MAKE, {"name": "backup", "lifetime": "30"})
    (text,) = re.findall(r"<code[^>]*>(cj_[\w-]+)</code>", answer.content.decode())
    token = ApiToken.objects.get()
    assert (token.user, token.name, token.used_at) == (owner, "backup", None)
    assert token.expires_at
    assert abs(token.expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)
    assert "no-store" in answer["Cache-Control"]
    assert ask(text).status_code == 200
    for path in ("/profile/", MAKE):
        assert text not in page.get(path).content.decode()


def test_profile_lists_tokens(page: Client, owner: User, stranger: User) -> None:
    create_token(owner, "backup")
    create_token(stranger, "not mine")
    html = page.get("/profile/").content.decode()
    assert "backup" in html
    assert "not mine" not in html


def test_profile_tells_times_of_tokens_with_their_zone(page: Client, owner: User) -> None:
    expires_at = timezone.now() + timedelta(days=366)
    create_token(owner, "backup", expires_at)
    html = page.get("/profile/").content.decode()
    assert f'<time datetime="{expires_at.isoformat(timespec="milliseconds")}"' in html
    assert f"{expires_at:%d %b %Y %H:%M} UTC</time>" in html


def test_profile_costs_as_many_queries_however_many_tokens(page: Client, owner: User) -> None:
    for _ in range(2):
        create_token(owner, "backup")
    few = queries_of(lambda: page.get("/profile/"))
    for _ in range(18):
        create_token(owner, "backup")
    assert_as_many(few, queries_of(lambda: page.get("/profile/")))


def test_revoked_token_is_refused_at_once(page: Client, owner: User) -> None:
    token, text = create_token(owner, "backup")
    assert ask(text).status_code == 200
    answer = page.post(f"{MAKE}{token.pk}/revoke/", follow=True)
    assert "The token was revoked." in answer.content.decode()
    assert_refused(ask(text))


def test_nobody_revokes_tokens_of_others(page: Client, stranger: User) -> None:
    token, text = create_token(stranger, "backup")
    assert page.post(f"{MAKE}{token.pk}/revoke/").status_code == 404
    assert Client().post(f"{MAKE}{token.pk}/revoke/").status_code == 302
    assert page.get(f"{MAKE}{token.pk}/revoke/").status_code == 405
    assert ask(text).status_code == 200


@pytest.mark.parametrize(
    "said", [{"name": ""}, {"name": "x" * 101}, {"name": "a", "lifetime": "1"}]
)
def test_bad_token_is_not_made(page: Client, said: dict[str, str]) -> None:
    assert 'class="fault"' in page.post(MAKE, said).content.decode()
    assert not ApiToken.objects.exists()


def test_tokens_are_bounded(page: Client, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST_TOKENS", 1)
    create_token(owner, "one")
    assert "revoke some" in page.post(MAKE, {"name": "two"}).content.decode()
    assert ApiToken.objects.count() == 1


def test_expired_tokens_make_room(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST_TOKENS", 3)
    lasting, _ = create_token(owner, "lasting")
    create_token(owner, "over", timezone.now() - timedelta(seconds=1))
    later, _ = create_token(owner, "later", timezone.now() + timedelta(days=1))
    new, _ = create_token(owner, "new")
    assert set(ApiToken.objects.all()) == {lasting, later, new}


@pytest.mark.django_db(transaction=True)
def test_tokens_made_at_once_are_bounded(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST_TOKENS", 1)
    together = Barrier(4)

    def make(_: int) -> None:
        try:
            connection.ensure_connection()
            together.wait()
            with suppress(Refused):
                create_token(owner, "one")
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as programs:
        list(programs.map(make, range(4)))
    assert ApiToken.objects.count() == 1


def test_making_tokens_takes_login_and_csrf_token(client: Client, owner: User) -> None:
    assert client.post(MAKE, {"name": "a"}).status_code == 302
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    assert strict.post(MAKE, {"name": "a"}).status_code == 403
    assert not ApiToken.objects.exists()


def test_long_text_is_not_even_looked_up(django_assert_num_queries: Any, db: None) -> None:
    UserFactory()
    cache.clear()
    with django_assert_num_queries(0):
        assert tokens.find_token("x" * 256) is None
