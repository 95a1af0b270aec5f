"""A disk of 200 MiB: what cannot fit is refused; what another program outruns can be retried."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.mounts import Mount
from tests.service import Service, eventually, running_service
from tests.worker import settings
from tests.worker.drives import (
    clone,
    content_at,
    content_of,
    finished,
    image_of,
    progress_of,
    upload,
)

pytestmark = pytest.mark.worker
MIB = 1024**2


@pytest.fixture
def disk(mount: Mount) -> Path:
    return mount("-t", "tmpfs", "-o", "size=200m", "none")


@pytest.fixture
def service(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str, disk: Path
) -> Iterator[Service]:
    variables = {"DJANGO_SETTINGS_MODULE": settings.NAME, "SMALL_DISK": str(disk)}
    with running_service(tmp_path_factory.mktemp("full"), worker_id, **variables) as running:
        yield running


@pytest.fixture
def api(service: Service) -> Iterator[httpx.Client]:
    with service.client() as client:
        yield client


def ask_for_clone(api: httpx.Client, uuid: str) -> httpx.Response:
    wishes = {"storage_type": "small"}
    return api.post(f"/drives/{uuid}/action/", params={"do": "clone"}, json=wishes)


def fill(disk: Path, room: int) -> Path:
    """Take all of the disk but `room` bytes, as another program would, while a clone goes on."""
    foreign = disk / "foreign"
    with foreign.open("wb") as file:
        while free_on(disk) > room:
            with suppress(OSError):  # the clone was faster
                os.posix_fallocate(file.fileno(), 0, free_on(disk) - room)
                break
    return foreign


def free_on(disk: Path) -> int:
    stat = os.statvfs(disk)
    return stat.f_bavail * stat.f_frsize


def allocated(service: Service, uuid: str) -> int:
    """Return the bytes that an image takes up, with what the file system needs to find them."""
    return image_of(service, uuid).stat().st_blocks * 512


def status_of(api: httpx.Client, uuid: str) -> str:
    return api.get(f"/drives/{uuid}/").json()["status"]


def test_clone_that_cannot_fit_is_refused_at_once(
    api: httpx.Client, service: Service, disk: Path
) -> None:
    source = upload(api, os.urandom(201 * MIB), "dssd")
    answer = ask_for_clone(api, source)
    (fault,) = answer.json()
    assert (answer.status_code, fault["error_type"]) == (503, "backend")
    numbers = f"{allocated(service, source)} bytes are needed, {free_on(disk)} are free"
    assert numbers in fault["error_message"]
    assert status_of(api, source) == "unmounted"


def test_clones_that_fit_one_by_one_are_not_promised_twice(api: httpx.Client, disk: Path) -> None:
    source = upload(api, os.urandom(120 * MIB), "dssd")
    answers = [ask_for_clone(api, source) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 503]
    job = answers[0].json()["objects"][0]["jobs"][0]["uuid"]
    assert finished(api, job)["state"] == "success"


def test_clone_outrun_by_another_program_fails_and_is_retried(
    api: httpx.Client, service: Service, disk: Path
) -> None:
    source = upload(api, os.urandom(100 * MIB), "dssd")
    new = clone(api, source, storage_type="small")
    job = new["jobs"][0]["uuid"]
    eventually(lambda: progress_of(api, job) >= 20)
    foreign = fill(disk, room=10 * MIB)
    assert_failed_for_space(finished(api, job), disk, allocated(service, source))
    assert api.get(f"/jobs/{job}/runtime/").json()["error"]["code"] == "no_space"
    assert list(disk.glob("*.partial")) == []
    assert (status_of(api, new["uuid"]), status_of(api, source)) == ("unavailable", "unmounted")
    foreign.unlink()
    assert api.post(f"/jobs/{job}/action/", params={"do": "retry"}).status_code == 200
    assert finished(api, job)["state"] == "success"
    assert content_at(disk / f"{new['uuid']}.raw") == content_of(service, source)


def assert_failed_for_space(job: dict[str, Any], disk: Path, needed: int) -> None:
    """See that a job failed, and that its owner reads both numbers."""
    assert job["state"] == "failed"
    numbers = f"{needed} bytes are needed, {free_on(disk)} bytes are free"
    assert numbers in job["data"]["error"]
