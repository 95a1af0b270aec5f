"""A storage host hangs: whoever asks it first waits, but keeps no lock from everybody else."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from drives.storage import hanging
from jobs.models import Job
from tests.conftest import browser_of
from tests.factories import GIB, DriveFactory, UserFactory
from tests.html import body_of, text_of
from tests.trees import steer
from tests.wire import API

HUNG, ELSEWHERE = "dssd-2", "dssd-1"
NEW = {"name": "new", "size": GIB, "media": "disk"}


@pytest.fixture
def drive(transactional_db: None, storage: Path, owner: User) -> Drive:
    return DriveFactory(owner=owner, storage_host=ELSEWHERE, image=b"data")


@pytest.fixture
def cancelled(api: APIClient, drive: Drive) -> Job:
    """The job of a clone that was cancelled."""
    api.post(f"{API}/drives/{drive.pk}/action/?do=clone", {})
    job: Job = Job.objects.latest("created")
    steer(api, job, "cancel")
    return job


@pytest.fixture
def waiting(api: APIClient, drive: Drive) -> Job:
    """The job of a clone that goes to where its source is."""
    avoided = DriveFactory(owner=drive.owner, storage_host=HUNG)
    api.post(f"{API}/drives/{drive.pk}/action/?do=clone&avoid={avoided.pk}", {})
    job: Job = Job.objects.unfinished().get()
    return job


@pytest.fixture
def answers(cancelled: Job, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Event, Event]]:
    """The host hangs from the first question on, which the one event tells, until the other."""
    asked, released, statvfs = Event(), Event(), os.statvfs

    def hang(path: Path) -> os.statvfs_result:
        if path.name == HUNG:
            asked.set()
            released.wait(60)
        return statvfs(path)

    monkeypatch.setattr(os, "statvfs", hang)
    monkeypatch.setattr(hanging, "HANGS_AFTER", 0.05)
    yield asked, released
    released.set()


def clone(api: APIClient, drive: Drive, job: Job) -> int:
    return int(api.post(f"{API}/drives/{drive.pk}/action/?do=clone", {}).status_code)


def clone_once(api: APIClient, drive: Drive, job: Job) -> int:
    path, key = f"{API}/drives/{drive.pk}/action/?do=clone", {"idempotency-key": "once"}
    return int(api.post(path, {}, headers=key).status_code)


def resize(api: APIClient, drive: Drive, job: Job) -> int:
    wish = {"name": "grown", "media": "disk", "size": drive.size + GIB}
    return int(api.put(f"{API}/drives/{drive.pk}/", wish).status_code)


def retry(api: APIClient, drive: Drive, job: Job) -> int:
    return int(steer(api, job, "retry").status_code)


def limit(api: APIClient, drive: Drive, job: Job) -> int:
    wish = {"storage_host": HUNG, "bandwidth": GIB}
    return int(operator().post("/admin/drives/bandwidthlimit/add/", wish).status_code)


def reconcile(api: APIClient, drive: Drive, job: Job) -> int:
    return int(operator().get("/admin/drives/drive/reconcile/").status_code)


def operator() -> Client:
    return browser_of(UserFactory(is_staff=True, is_superuser=True))


@pytest.mark.parametrize(
    ("act", "status"),
    [(clone, 202), (clone_once, 202), (resize, 200), (retry, 200), (limit, 302), (reconcile, 200)],
)
def test_who_waits_for_it_holds_up_no_other(
    answers: tuple[Event, Event],
    api: APIClient,
    drive: Drive,
    cancelled: Job,
    stranger_api: APIClient,
    act: Callable[[APIClient, Drive, Job], int],
    status: int,
) -> None:
    asked, released = answers

    def acted() -> int:
        try:
            return act(api, drive, cancelled)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(acted)
        assert asked.wait(10)
        Event().wait(2 * hanging.HANGS_AFTER)
        made = stranger_api.post(f"{API}/drives/", NEW)
        assert (made.status_code, waiting.done()) == (201, False)
        released.set()
        assert waiting.result(10) == status


def test_cancel_asks_no_host_that_the_job_has_nothing_to_do_with(
    waiting: Job, answers: tuple[Event, Event], api: APIClient
) -> None:
    asked, _ = answers
    assert steer(api, waiting, "cancel").status_code == 200
    assert not asked.is_set()


def test_page_that_is_asked_again_tells_which_host_hangs(answers: tuple[Event, Event]) -> None:
    asked, released = answers
    page = "/admin/drives/drive/reconcile/"

    def read() -> str:
        try:
            return text_of(body_of(operator().get(page)))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(read)
        assert asked.wait(10)
        assert "The storage does not answer." in read()
        released.set()
        assert "The storage does not answer." not in first.result(10)
