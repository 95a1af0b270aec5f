"""Clones that are compared with their sources: who asks for it, what is told, how they fail."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from drives.storage import get_host
from jobs.models import Job
from jobs.reports import Reported
from tests.conftest import browser_of
from tests.factories import MIB, DriveFactory, MountFactory
from tests.html import body_of, text_of
from tests.trees import steer
from tests.wire import API, faults_of

DATA = bytes(range(1, 256)) * 4096


@pytest.fixture
def source(owner: User) -> Drive:
    return DriveFactory(owner=owner, image=DATA)


@pytest.fixture
def job(api: APIClient, source: Drive) -> Job:
    """The job of a clone that is to be verified, and waits."""
    assert clone(api, source, verify=True).status_code == 202
    return Job.objects.get()


def clone(api: APIClient, drive: Drive, **body: Any) -> Any:
    return api.post(f"{API}/drives/{drive.pk}/action/?do=clone", body)


def shown(api: APIClient, job: Job) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the data of a job and its runtime."""
    data = api.get(f"{API}/jobs/{job.pk}/").json()["data"]
    return data, api.get(f"{API}/jobs/{job.pk}/runtime/").json()


def test_clone_that_is_verified_succeeds(
    api: APIClient, job: Job, run_jobs: Callable[[], None]
) -> None:
    run_jobs()
    assert shown(api, job)[1]["phase"] == "success"
    with get_host("dssd-2").backend.open(Drive.objects.latest("created_at").pk) as image:
        assert image.read(len(DATA)) == DATA


def test_clone_is_not_verified_unless_it_is_asked_for(api: APIClient, source: Drive) -> None:
    assert clone(api, source, verify=False).status_code == 202
    assert Job.objects.get().verified is None


def test_operator_has_all_clones_to_a_host_verified(
    api: APIClient, source: Drive, settings: Settings
) -> None:
    settings.STORAGE_HOSTS = {
        name: host | {"verify": True} for name, host in settings.STORAGE_HOSTS.items()
    }
    assert clone(api, source, verify=False).status_code == 202
    assert Job.objects.get().verified == 0


@pytest.mark.parametrize(
    ("verifying", "told"),
    [
        ([], "takes its time. Keep away from"),
        (["dssd-2", "zadara-1"], "Clones on dssd-2, zadara-1 are verified anyway."),
        (["dssd-1", "dssd-2", "nvme-1", "zadara-1"], "All clones are verified anyway."),
    ],
)
def test_forms_tell_where_clones_are_verified_anyway(
    owner: User, source: Drive, settings: Settings, verifying: list[str], told: str
) -> None:
    hosts = settings.STORAGE_HOSTS
    settings.STORAGE_HOSTS = hosts | {name: hosts[name] | {"verify": True} for name in verifying}
    server = MountFactory(drive=source, server__owner=owner).server
    for page in (f"/drives/{source.pk}/clone/", f"/servers/{server.pk}/clone/"):
        assert told in text_of(body_of(browser_of(owner).get(page)))


def test_disks_of_a_server_are_verified(api: APIClient, source: Drive) -> None:
    server = MountFactory(drive=source, server__owner=source.owner).server
    address = f"{API}/servers/{server.pk}/action/?do=clone"
    assert api.post(address, {"verify": True}).status_code == 202
    assert Job.objects.get(operation="drive_clone").verified == 0


@pytest.mark.parametrize("verify", ["yes", 1, None])
def test_wish_is_true_or_false(api: APIClient, source: Drive, verify: object) -> None:
    assert faults_of(clone(api, source, verify=verify)) == [("validation", "verify")]


def test_verification_is_a_phase_and_the_second_half(api: APIClient, job: Job) -> None:
    assert job.claim("worker:1")
    half, whole = job.weight // 2, job.weight
    seen = []
    for reported in (
        Reported(half, MIB, "read_write", 100),
        Reported(whole, 2 * MIB, "read_write", 100),
        Reported(whole, 2 * MIB, "read_write", 100, verified=half),
        Reported(whole, 2 * MIB, "read_write", 100, verified=0),  # another worker began anew
    ):
        job.report(reported)
        data, runtime = shown(api, job)
        seen.append((data, runtime["phase"], round(runtime["eta"] * 100 / half)))
    verifying = {"progress": 75, "phase": "verifying"}
    assert seen == [
        ({"progress": 25}, "copying", 3),
        ({"progress": 50}, "finishing", 2),
        (verifying, "verifying", 1),
        (verifying, "verifying", 1),
    ]


def test_page_says_that_it_is_verified(owner: User, job: Job) -> None:
    assert job.claim("worker:1")
    job.report(Reported(job.weight, MIB, "read_write", 100, verified=1))
    page = text_of(body_of(browser_of(owner).get(f"/jobs/{job.pk}/")))
    assert "compared with its source" in page


def test_pages_tell_how_much_is_compared(
    owner: User, job: Job, run_jobs: Callable[[], None]
) -> None:
    def told(path: str) -> str:
        return text_of(body_of(browser_of(owner).get(path)))

    page, halves = f"/jobs/{job.pk}/", "510 of 1020 KiB"
    assert "Compared 0 of 1020 KiB" in told(page)
    Job.objects.update(bytes_done=job.weight, verified=job.weight // 2)
    assert f"Copied 1020 of 1020 KiB Compared {halves}" in told(page)
    assert f"{halves} compared" in told("/jobs/")
    run_jobs()
    assert "Compared 1020 of 1020 KiB" in told(page)
    assert "compared" not in told("/jobs/")


def test_page_says_whether_it_was_verified(
    api: APIClient, owner: User, job: Job, run_jobs: Callable[[], None]
) -> None:
    def told(job: Job) -> str:
        return text_of(body_of(browser_of(owner).get(f"/jobs/{job.pk}/")))

    assert "Verified not yet" in told(job)
    steer(api, job, "cancel")
    assert "Verified no " in told(job)
    steer(api, job, "retry")
    run_jobs()
    assert "Verified yes" in told(job)
    clone(api, DriveFactory(owner=owner, image=DATA))
    assert "Verified" not in told(Job.objects.latest("created"))


def test_clone_that_differs_fails_and_may_be_retried(
    api: APIClient,
    job: Job,
    source: Drive,
    storage: Path,
    run_jobs: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", lose_a_byte)
        run_jobs()
    job.refresh_from_db()
    assert job.error == "The copy differs from its source at byte 700."
    assert (job.state, job.error_code) == ("failed", "copy_differs")
    statuses = Drive.objects.values_list("pk", "status")
    assert dict(statuses)[source.pk] == "unmounted"
    assert sorted(status for _, status in statuses) == ["unavailable", "unmounted"]
    assert [path.stem for path in storage.rglob("*-*-*-*-*")] == [str(source.pk)]
    assert steer(api, job, "retry").status_code == 200
    assert shown(api, job)[0] == {"progress": 0}
    run_jobs()
    job.refresh_from_db()
    assert job.state == "success"


def lose_a_byte(fd: int) -> None:
    """Be a disk that keeps another byte than the one that was written."""
    if os.fstat(fd).st_size > MIB:
        os.pwrite(fd, b"\0", 700)


def test_worker_that_goes_on_after_the_copy_verifies_all_of_it(
    job: Job, run_jobs: Callable[[], None]
) -> None:
    """The one before died while it verified: its partial is complete, and one byte is wrong."""
    size, backend = job.params["size"], get_host(job.params["storage_host"]).backend
    with backend.folder.new_partial(job.params["drive"]) as partial:
        partial.write(DATA[:-1] + b"?")
        partial.truncate(size)
    Job.objects.update(cursor=size, bytes_done=job.weight, verified=job.weight)
    run_jobs()
    job.refresh_from_db()
    assert job.error == f"The copy differs from its source at byte {len(DATA) - 1}."
