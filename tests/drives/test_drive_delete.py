from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from jobs import runner
from jobs.models import Job
from tests.conftest import Unchanged
from tests.factories import DriveFactory
from tests.trees import make_stale
from tests.wire import API, faults_of

DRIVES = f"{API}/drives/"


def path(drive: Drive) -> str:
    return f"{DRIVES}{drive.pk}/"


def listing(*uuids: UUID) -> dict[str, Any]:
    return {"objects": [{"uuid": str(uuid)} for uuid in uuids]}


@pytest.fixture
def drive(owner: User) -> Drive:
    return DriveFactory(owner=owner)


def test_drive_goes_with_its_bytes(
    api: APIClient, drive: Drive, storage: Path, run_jobs: Callable[[], None]
) -> None:
    response = api.delete(path(drive))
    assert (response.status_code, response.content) == (204, b"")
    assert api.get(path(drive)).json()["status"] == "deleting"
    run_jobs()
    assert api.get(path(drive)).status_code == 404
    assert list((storage / "dssd-1").iterdir()) == []


def test_worker_that_slept_while_another_deleted_the_drive_leaves_quietly(
    api: APIClient, drive: Drive, run_jobs: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    api.delete(path(drive))
    job = Job.objects.get()
    assert job.claim("sleeper:1")
    make_stale(job)
    run_jobs()
    runner.work(job)
    assert "lease lost" in caplog.text
    assert "operation broke" not in caplog.text
    assert Job.objects.get().state == "success"


def test_deletion_shows_no_job(api: APIClient, drive: Drive, run_jobs: Callable[[], None]) -> None:
    api.delete(path(drive))
    assert api.get(path(drive)).json()["jobs"] == []
    run_jobs()
    assert api.get(f"{API}/jobs/").json()["objects"] == []


@pytest.mark.parametrize("bulk", [False, True])
def test_strangers_delete_nothing(
    stranger_api: APIClient,
    anonymous_api: APIClient,
    drive: Drive,
    unchanged: Unchanged,
    bulk: bool,
) -> None:
    with unchanged():
        for client, status in ((stranger_api, 404), (anonymous_api, 401)):
            body = listing(drive.pk)
            response = client.delete(DRIVES, body) if bulk else client.delete(path(drive))
            assert response.status_code == status


@pytest.mark.parametrize("uuid", [uuid4(), "not-a-uuid"])
def test_drive_that_never_was_is_not_there(api: APIClient, uuid: Any) -> None:
    response = api.delete(f"{DRIVES}{uuid}/")
    assert response.status_code == 404
    assert faults_of(response)[0][0] == "notexist"


def test_deleting_again_asks_for_nothing_more(api: APIClient, drive: Drive) -> None:
    assert api.delete(path(drive)).status_code == 204
    assert api.delete(path(drive)).status_code == 204
    assert Job.objects.count() == 1


@pytest.mark.parametrize("status", ["creating", "cloning_src", "cloning_dst", "resizing"])
@pytest.mark.parametrize("bulk", [False, True])
def test_busy_drive_stays(
    api: APIClient, drive: Drive, unchanged: Unchanged, status: str, bulk: bool
) -> None:
    Drive.objects.update(status=status)
    with unchanged():
        response = api.delete(DRIVES, listing(drive.pk)) if bulk else api.delete(path(drive))
    assert response.status_code == 503
    assert faults_of(response) == [("concurrency", "status")]


def test_unavailable_drive_goes(api: APIClient, drive: Drive, run_jobs: Callable[[], None]) -> None:
    Drive.objects.update(status="unavailable")
    assert api.delete(path(drive)).status_code == 204
    run_jobs()
    assert not Drive.objects.exists()


def test_drive_whose_image_is_gone_already_goes(
    api: APIClient, drive: Drive, storage: Path, run_jobs: Callable[[], None]
) -> None:
    (storage / "dssd-1" / f"{drive.pk}.raw").unlink()
    api.delete(path(drive))
    run_jobs()
    assert not Drive.objects.exists()


def test_drive_that_cannot_be_deleted_is_unavailable(
    api: APIClient, drive: Drive, storage: Path, run_jobs: Callable[[], None]
) -> None:
    image = storage / "dssd-1" / f"{drive.pk}.raw"
    image.unlink()
    image.mkdir()
    api.delete(path(drive))
    run_jobs()
    assert api.get(path(drive)).json()["status"] == "unavailable"


def test_deleted_drive_vanishes_from_its_jobs(
    api: APIClient, drive: Drive, run_jobs: Callable[[], None]
) -> None:
    clone = api.post(f"{path(drive)}action/?do=clone", {}).json()["objects"][0]
    run_jobs()
    job = clone["jobs"][0]["resource_uri"]
    assert api.get(job).json()["resources"] == [path(drive), clone["resource_uri"]]
    api.delete(path(drive))
    assert len(api.get(job).json()["resources"]) == 2
    run_jobs()
    assert api.get(job).json()["resources"] == [clone["resource_uri"]]
    api.delete(clone["resource_uri"])
    run_jobs()
    assert api.get(job).json()["resources"] == []


def test_bulk_deletes_all(api: APIClient, owner: User, run_jobs: Callable[[], None]) -> None:
    first, second, kept = DriveFactory.create_batch(3, owner=owner)
    response = api.delete(DRIVES, listing(first.pk, second.pk, first.pk))
    assert (response.status_code, response.content) == (204, b"")
    run_jobs()
    assert Drive.objects.get() == kept


def test_bulk_with_an_unknown_drive_deletes_none(
    api: APIClient, drive: Drive, unchanged: Unchanged
) -> None:
    with unchanged():
        response = api.delete(DRIVES, listing(drive.pk, uuid4()))
    assert response.status_code == 404
    assert faults_of(response) == [("notexist", "uuid")]


def test_bulk_with_a_foreign_drive_deletes_none(
    api: APIClient, drive: Drive, stranger: User, unchanged: Unchanged
) -> None:
    foreign = DriveFactory(owner=stranger)
    with unchanged():
        response = api.delete(DRIVES, listing(drive.pk, foreign.pk))
    assert response.status_code == 404


def test_bulk_with_a_busy_drive_deletes_none(
    api: APIClient, drive: Drive, owner: User, unchanged: Unchanged
) -> None:
    busy = DriveFactory(owner=owner, status="cloning_src")
    with unchanged():
        response = api.delete(DRIVES, listing(drive.pk, busy.pk))
    assert response.status_code == 503
    assert faults_of(response) == [("concurrency", "status")]


@pytest.mark.parametrize("body", [[], {"objects": []}, "x", {"objects": "x"}])
def test_bulk_without_drives_deletes_none(
    api: APIClient, drive: Drive, unchanged: Unchanged, body: Any
) -> None:
    with unchanged():
        response = api.delete(DRIVES, body)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "objects")]
