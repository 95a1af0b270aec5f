"""`Idempotency-Key` on the requests that clone: sent twice, done once."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from jobs.models import Job, KeptAnswer
from servers.models import Server
from tests.conftest import Unchanged, client_of
from tests.factories import MIB, DriveFactory, MountFactory, ServerFactory, UserFactory
from tests.wire import API, faults_of

KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"


@pytest.fixture
def drive(owner: User, storage: Any) -> Drive:
    return DriveFactory(owner=owner, name="disk", image=b"x" * MIB)


@pytest.fixture
def server(owner: User, storage: Any) -> Server:
    server = ServerFactory(owner=owner, name="machine")
    MountFactory(server=server, drive__image=b"x" * MIB)
    return server


def ask(api: APIClient, it: Any, body: Any = None, key: str | None = KEY, query: str = "") -> Any:
    kind = "drives" if isinstance(it, Drive) else "servers"
    uri = f"{API}/{kind}/{it.pk}/action/?do=clone{query}"
    headers = {} if key is None else {"Idempotency-Key": key}
    return api.post(uri, body or {}, headers=headers)


@pytest.fixture(params=["drive", "server"])
def source(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def test_first_answer_is_as_without_a_key(api: APIClient, source: Any) -> None:
    response = ask(api, source)
    assert response.status_code == 202
    assert "Idempotency-Replayed" not in response
    assert Job.objects.roots().count() == 1


def test_second_request_gets_the_first_answer_and_does_nothing(
    api: APIClient, source: Any, unchanged: Unchanged
) -> None:
    first = ask(api, source, {"name": "one"})
    with unchanged():
        second = ask(api, source, {"name": "one"})
    assert (second.status_code, second.json()) == (202, first.json())
    assert second["Idempotency-Replayed"] == "true"


def test_answer_stays_as_it_was_when_the_clone_is_done(
    api: APIClient, drive: Drive, run_jobs: Callable[[], None]
) -> None:
    first = ask(api, drive).json()
    run_jobs()
    second = ask(api, drive).json()
    assert second == first
    assert second["objects"][0]["status"] == "cloning_dst"


def test_without_a_key_each_request_clones(api: APIClient, source: Any) -> None:
    for _ in range(2):
        assert ask(api, source, key=None).status_code == 202
    assert Job.objects.roots().count() == 2
    assert not KeptAnswer.objects.exists()


def test_another_key_clones_again(api: APIClient, source: Any) -> None:
    for key in ("one", "two", "One"):
        assert ask(api, source, key=key).status_code == 202
    assert Job.objects.roots().count() == 3


def test_another_body_under_the_key_is_refused(
    api: APIClient, source: Any, unchanged: Unchanged
) -> None:
    ask(api, source, {"name": "one"})
    with unchanged():
        response = ask(api, source, {"name": "two"})
    assert response.status_code == 409
    assert faults_of(response) == [("concurrency", "Idempotency-Key")]


def test_another_source_under_the_key_is_refused(
    api: APIClient, drive: Drive, server: Server, unchanged: Unchanged
) -> None:
    ask(api, drive)
    with unchanged():
        assert ask(api, server).status_code == 409


def test_another_query_under_the_key_is_refused(
    api: APIClient, drive: Drive, unchanged: Unchanged
) -> None:
    ask(api, drive)
    with unchanged():
        assert ask(api, drive, query=f"&avoid={drive.pk}").status_code == 409


def test_order_of_the_body_is_no_matter(api: APIClient, drive: Drive) -> None:
    first = ask(api, drive, {"name": "one", "media": "disk"})
    second = ask(api, drive, {"media": "disk", "name": "one"})
    assert second.json() == first.json()


def test_key_of_another_user_is_another_key(
    api: APIClient, stranger_api: APIClient, stranger: User, drive: Drive
) -> None:
    theirs = DriveFactory(owner=stranger, image=b"x" * MIB)
    first, second = ask(api, drive), ask(stranger_api, theirs)
    assert (first.status_code, second.status_code) == (202, 202)
    assert "Idempotency-Replayed" not in second


def test_stranger_does_not_get_the_answer(
    api: APIClient, stranger_api: APIClient, anonymous_api: APIClient, source: Any
) -> None:
    ask(api, source)
    assert ask(stranger_api, source).status_code == 404
    assert ask(anonymous_api, source).status_code == 401
    assert KeptAnswer.objects.count() == 1


def test_error_is_not_kept(api: APIClient, drive: Drive) -> None:
    Drive.objects.update(status="resizing")
    assert ask(api, drive).status_code == 403
    assert not KeptAnswer.objects.exists()
    Drive.objects.update(status="unmounted")
    assert ask(api, drive).status_code == 202


def test_error_of_the_form_is_not_kept(api: APIClient, drive: Drive) -> None:
    assert ask(api, drive, {"media": "tape"}).status_code == 400
    assert ask(api, drive, {"media": "cdrom"}).status_code == 202


def test_error_of_a_server_is_not_kept(api: APIClient, server: Server) -> None:
    Server.objects.update(status="running")
    assert ask(api, server).status_code == 403
    Server.objects.update(status="stopped")
    assert ask(api, server).status_code == 202


def test_what_is_not_there_is_not_kept(api: APIClient, drive: Drive) -> None:
    assert ask(api, Drive(pk=uuid4())).status_code == 404
    assert not KeptAnswer.objects.exists()


def test_body_that_is_no_json_is_not_kept(api: APIClient, drive: Drive) -> None:
    uri = f"{API}/drives/{drive.pk}/action/?do=clone"
    headers = {"Idempotency-Key": KEY}
    response = api.post(uri, "{", content_type="application/json", headers=headers)
    assert response.status_code == 400
    assert not KeptAnswer.objects.exists()


@pytest.mark.parametrize(
    "key", ["", "x" * 256, "a\x00b", "a\tb", "a\nb", "\x7f", "a\x85b"], ids=repr
)
def test_odd_key_is_refused(api: APIClient, source: Any, unchanged: Unchanged, key: str) -> None:
    with unchanged():
        response = ask(api, source, key=key)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "Idempotency-Key")]


@pytest.mark.parametrize("key", ["x", "x" * 255, "a b", "ключ", "'; DROP TABLE", "%00", "😀"])
def test_key_may_be_any_text(api: APIClient, drive: Drive, key: str) -> None:
    first, second = ask(api, drive, key=key), ask(api, drive, key=key)
    assert (first.status_code, second["Idempotency-Replayed"]) == (202, "true")
    assert Job.objects.count() == 1


def test_request_that_comes_meanwhile_waits_for_the_answer(
    transactional_db: None, storage: Any
) -> None:
    owner = UserFactory()
    drive, meet, answers = DriveFactory(owner=owner), threading.Barrier(2), []

    def send() -> None:
        meet.wait()
        answers.append(ask(client_of(owner), drive))
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first, second = answers
    assert (first.status_code, first.json()) == (202, second.json())
    assert sorted("Idempotency-Replayed" in answer for answer in answers) == [False, True]
    assert Job.objects.count() == 1


def test_key_that_was_forgotten_is_new(api: APIClient, drive: Drive) -> None:
    ask(api, drive)
    KeptAnswer.objects.all().delete()
    ask(api, drive)
    assert Job.objects.count() == 2


def test_answers_go_with_their_owner(api: APIClient, drive: Drive, owner: User) -> None:
    ask(api, drive)
    owner.delete()
    assert not KeptAnswer.objects.exists()


def test_other_actions_know_no_key(api: APIClient, server: Server) -> None:
    uri = f"{API}/servers/{server.pk}/action/?do=start"
    headers = {"Idempotency-Key": KEY}
    assert api.post(uri, headers=headers).status_code == 202
    assert api.post(uri, headers=headers).status_code == 403
