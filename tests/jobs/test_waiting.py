"""`?wait=SECONDS`: the answer of a job comes when it has ended, or when the time is over."""

import time
from base64 import b64encode
from threading import Timer

import pytest
from django.conf import settings
from django.db import connection
from rest_framework.test import APIClient

from accounts.models import User
from cloudjobs.api.strangers import MOST_WAITED_FOR
from jobs import runner, waiting
from jobs.actions import submit
from jobs.models import Job
from tests.factories import PASSWORD
from tests.trees import leaf
from tests.wire import API


def asked(api: APIClient, job: Job, wait: object) -> tuple[float, dict]:
    """Return how many seconds the answer took, and the answer."""
    began = time.monotonic()
    answer = api.get(f"{API}/jobs/{job.pk}/", {"wait": wait})
    assert answer.status_code == 200
    return time.monotonic() - began, answer.json()


def test_answer_comes_when_the_time_is_over(api: APIClient, job: Job) -> None:
    seconds, answer = asked(api, job, 1)
    assert 1 <= seconds < 3
    assert answer["state"] == "started"


def test_answer_of_a_finished_job_comes_at_once(api: APIClient, job: Job) -> None:
    runner.run_next()
    seconds, answer = asked(api, job, 20)
    assert seconds < 5
    assert answer["state"] == "success"


@pytest.mark.django_db(transaction=True)
def test_answer_comes_when_the_job_ends(api: APIClient, owner: User) -> None:
    job = submit(leaf(), owner)

    def run() -> None:
        runner.run_next()
        connection.close()

    worker = Timer(0.5, run)
    worker.start()
    seconds, answer = asked(api, job, 20)
    worker.join()
    assert 0.5 <= seconds < 10
    assert answer["state"] == "success"


def test_who_finds_no_place_is_answered_at_once(
    api: APIClient, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "PLACES", waiting.BoundedSemaphore(1))
    assert waiting.PLACES.acquire(blocking=False)
    assert asked(api, job, 20)[0] < 5


def test_threads_remain_beside_those_who_wait_and_strangers() -> None:
    procfile = (settings.BASE_DIR / "Procfile").read_text()
    threads = int(procfile.split("--blocking-threads ")[1].split()[0])
    assert threads > settings.WAITING_REQUESTS + MOST_WAITED_FOR


def test_place_is_free_again_afterwards(
    api: APIClient, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "PLACES", waiting.BoundedSemaphore(1))
    assert [asked(api, job, 1)[0] >= 1 for _ in range(2)] == [True, True]


@pytest.mark.parametrize("wait", ["-1", "x", "1.5", "26", "", "9" * 30])
def test_bad_wait_is_told(api: APIClient, job: Job, wait: str) -> None:
    answer = api.get(f"{API}/jobs/{job.pk}/", {"wait": wait})
    assert (answer.status_code, answer.json()[0]["error_point"]) == (400, "wait")


def test_job_of_another_is_not_waited_for(stranger_api: APIClient, job: Job) -> None:
    began = time.monotonic()
    assert stranger_api.get(f"{API}/jobs/{job.pk}/", {"wait": 20}).status_code == 404
    assert time.monotonic() - began < 5


# --- what has not changed -------------------------------------------------------------------------


@pytest.fixture(params=["password", "session"])
def logged_in(request: pytest.FixtureRequest, owner: User) -> APIClient:
    """A client that logs in as clients do: who is let in without has other headers."""
    client = APIClient()
    if request.param == "session":
        client.force_login(owner)
    else:
        login = b64encode(f"{owner.email}:{PASSWORD}".encode()).decode()
        client.credentials(HTTP_AUTHORIZATION=f"Basic {login}")
    return client


def test_job_that_has_not_changed_is_not_sent_again(logged_in: APIClient, job: Job) -> None:
    api = logged_in
    path = f"{API}/jobs/{job.pk}/"
    tag = api.get(path)["ETag"]
    again = api.get(path, HTTP_IF_NONE_MATCH=tag)
    assert (again.status_code, again.content) == (304, b"")
    assert again["Cache-Control"] == "private, no-store"
    runner.run_next()
    changed = api.get(path, HTTP_IF_NONE_MATCH=tag)
    assert (changed.status_code, changed.json()["state"]) == (200, "success")
