"""A worker that was taken for dead wakes up: it must not touch what another has taken over."""

import os
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psutil
import pytest

from tests.service import Service, eventually, running_service
from tests.worker import settings
from tests.worker.drives import (
    clone,
    content_of,
    finished,
    image_of,
    partials_of,
    progress_of,
    upload,
)
from tests.worker.insight import clone_jobs, images_open_in, kinds_of, worker_of

pytestmark = pytest.mark.worker
MIB = 1024**2


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("sleeping")
    with running_service(home, worker_id, DJANGO_SETTINGS_MODULE=settings.NAME) as running:
        yield running


@pytest.fixture
def api(service: Service) -> Iterator[httpx.Client]:
    with service.client() as client:
        yield client


def put_to_sleep(api: httpx.Client, service: Service, job: str) -> psutil.Process:
    """Stop the worker of a job that got on, until after its lease; wake another one."""
    eventually(lambda: progress_of(api, job) > 20)
    sleeper = worker_of(api, job)
    sleeper.suspend()
    time.sleep(settings.JOB_LEASE_SECONDS + 1)
    service.manage("sweep_jobs")
    return sleeper


def wait_until_idle(sleeper: psutil.Process) -> None:
    """Wait until a woken worker has given up its copy."""
    eventually(lambda: not images_open_in(sleeper), timeout=10)


def everything(service: Service, uuid: str, job: str) -> Any:
    """Return what must not change any more: the image, its time, and the job's row."""
    changed_at = image_of(service, uuid).stat().st_mtime_ns
    return content_of(service, uuid), changed_at, clone_jobs(service)[job]


def test_worker_that_wakes_after_the_end_touches_nothing(
    api: httpx.Client, service: Service
) -> None:
    source = upload(api, os.urandom(450 * MIB), "dssd")
    new = clone(api, source, storage_type="zadara")
    job = new["jobs"][0]["uuid"]
    sleeper = put_to_sleep(api, service, job)
    assert finished(api, job)["state"] == "success"
    before = everything(service, new["uuid"], job)
    assert images_open_in(sleeper) != []
    sleeper.resume()
    wait_until_idle(sleeper)
    assert everything(service, new["uuid"], job) == before
    assert before[0] == content_of(service, source)


def test_worker_that_wakes_while_another_copies_touches_nothing(
    api: httpx.Client, service: Service
) -> None:
    source = upload(api, os.urandom(400 * MIB), "dssd")
    new = clone(api, source, storage_type="small")  # so slow that the other is still at it
    job = new["jobs"][0]["uuid"]
    sleeper = put_to_sleep(api, service, job)
    other = worker_of(api, job)
    sleeper.resume()
    wait_until_idle(sleeper)
    assert worker_of(api, job) == other
    assert finished(api, job)["state"] == "success"
    assert kinds_of(clone_jobs(service)[job])[1:] == ["claimed", "lost", "claimed", "success"]
    assert content_of(service, new["uuid"]) == content_of(service, source)
    assert partials_of(service) == []
