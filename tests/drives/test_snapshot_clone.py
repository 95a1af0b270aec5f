"""Drives made of snapshots: the request, the job, and what becomes of it when it is steered."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import Profile, User
from drives import reconciliation
from drives.models import Drive, Snapshot
from drives.operations import backend_of
from drives.reconciliation import Fault
from jobs.models import Job
from tests.conftest import Unchanged
from tests.factories import GIB, MIB, DriveFactory, SnapshotFactory
from tests.wire import API, drive_json, faults_of, related_json, runtime_json

RunJobs = Callable[[], None]


def clone(api: APIClient, snapshot: Snapshot, query: str = "", **wishes: Any) -> Any:
    uri = f"{API}/snapshots/{snapshot.pk}/action/?do=clone{query}"
    return api.post(uri, wishes)


def test_drive_is_made_of_a_snapshot(api: APIClient, owner: User, run_jobs: RunJobs) -> None:
    snapshot = SnapshotFactory(owner=owner, image=b"data" * MIB, meta={"a": "b"})
    response = clone(api, snapshot)
    drive, job = Drive.objects.get(status="cloning_dst"), Job.objects.get()
    expected = drive_json(
        drive,
        name=snapshot.name,
        meta={"a": "b"},
        size=snapshot.size,
        jobs=[related_json("jobs", job.pk)],
        resource_uri=related_json("drives", drive.pk),
        runtime=runtime_json("dssd", downloadable=False, snapshotable=None),
    )
    assert (response.status_code, response.json()) == (202, expected)
    run_jobs()
    drive.refresh_from_db()
    assert drive.status == "unmounted"
    with backend_of(drive).open(drive.pk) as image:
        assert image.read(4 * MIB) == b"data" * MIB


def test_job_shows_source_and_clone(api: APIClient, owner: User, run_jobs: RunJobs) -> None:
    snapshot = SnapshotFactory(owner=owner)
    drive = clone(api, snapshot).json()["uuid"]
    (job,) = api.get(f"{API}/jobs/").json()["objects"]
    assert (job["operation"], job["state"]) == ("snapshot_clone", "started")
    uris = [f"{API}/snapshots/{snapshot.pk}/", f"{API}/drives/{drive}/"]
    assert job["resources"] == uris
    run_jobs()
    api.delete(uris[0])
    run_jobs()
    (job,) = api.get(f"{API}/jobs/").json()["objects"]
    assert (job["state"], job["data"]) == ("success", {"progress": 100})
    assert job["resources"] == uris[1:]


def test_clone_is_as_wished(api: APIClient, owner: User) -> None:
    snapshot = SnapshotFactory(owner=owner)
    wishes = {"name": "mine", "media": "cdrom", "size": 2 * GIB, "storage_type": "nvme"}
    clone(api, snapshot, **wishes)
    drive = Drive.objects.get(name="mine")
    assert (drive.media, drive.size, drive.storage_host) == ("cdrom", 2 * GIB, "nvme-1")


def test_clone_without_a_name_is_called_as_the_profile_says(api: APIClient, owner: User) -> None:
    Profile.objects.filter(user=owner).update(clone_naming="COUNTER")
    snapshot = SnapshotFactory(owner=owner, name="x")
    assert clone(api, snapshot).json()["name"] == "x_1"


@pytest.mark.parametrize("what", ["drive", "snapshot"])
def test_avoided_host_is_avoided(api: APIClient, owner: User, what: str) -> None:
    snapshot = SnapshotFactory(owner=owner, drive__storage_host="dssd-1")
    uuid = snapshot.drive_id if what == "drive" else snapshot.pk
    drive = clone(api, snapshot, f"&avoid={uuid}").json()["uuid"]
    assert Drive.objects.get(pk=drive).storage_host == "dssd-2"


def test_clone_is_made_once_under_a_key(api: APIClient, owner: User) -> None:
    uri = f"{API}/snapshots/{SnapshotFactory(owner=owner).pk}/action/?do=clone"
    headers = {"Idempotency-Key": "once"}
    first, again = (api.post(uri, {}, headers=headers) for _ in range(2))
    assert first.json() == again.json()
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("wishes", "point"),
    [
        ({"size": GIB - 1024**2}, "size"),
        ({"media": "floppy"}, "media"),
        ({"storage_type": "floppy"}, "storage_type"),
        ({"nonsense": 1}, "nonsense"),
        ({"tags": ["x"]}, "tags.0"),
    ],
)
def test_bad_wish_makes_nothing(
    api: APIClient, owner: User, unchanged: Unchanged, wishes: dict[str, Any], point: str
) -> None:
    snapshot = SnapshotFactory(owner=owner)
    with unchanged():
        response = clone(api, snapshot, **wishes)
    assert (response.status_code, faults_of(response)) == (400, [("validation", point)])


@pytest.mark.parametrize("status", ["creating", "deleting", "unavailable"])
def test_snapshot_that_is_not_there_is_not_cloned(
    api: APIClient, owner: User, unchanged: Unchanged, status: str
) -> None:
    snapshot = SnapshotFactory(owner=owner, status=status)
    with unchanged():
        response = clone(api, snapshot)
    assert (response.status_code, faults_of(response)) == (403, [("permission", "status")])


def test_unknown_action_is_refused(api: APIClient, owner: User) -> None:
    uri = f"{API}/snapshots/{SnapshotFactory(owner=owner).pk}/action/?do=nothing"
    response = api.post(uri)
    assert (response.status_code, faults_of(response)) == (400, [("validation", "do")])


def test_neither_snapshot_nor_its_drive_goes_while_it_is_cloned(
    api: APIClient, owner: User, run_jobs: RunJobs, unchanged: Unchanged
) -> None:
    snapshot = SnapshotFactory(owner=owner)
    clone(api, snapshot)
    with unchanged():
        one = api.delete(f"{API}/snapshots/{snapshot.pk}/")
        all_ = api.delete(f"{API}/drives/{snapshot.drive_id}/")
    assert (one.status_code, faults_of(one)) == (503, [("concurrency", "status")])
    assert (all_.status_code, faults_of(all_)) == (503, [("concurrency", "snapshots")])
    run_jobs()
    assert api.delete(f"{API}/drives/{snapshot.drive_id}/").status_code == 204


def test_cancelled_clone_is_gone_and_comes_back_with_a_retry(
    api: APIClient, owner: User, run_jobs: RunJobs
) -> None:
    snapshot = SnapshotFactory(owner=owner, image=b"data")
    uuid = clone(api, snapshot).json()["uuid"]
    action = f"{API}/jobs/{Job.objects.get().pk}/action/?do="
    assert api.post(f"{action}cancel").json()["state"] == "cancelled"
    assert not Drive.objects.filter(pk=uuid).exists()
    assert api.post(f"{action}retry").status_code == 200
    run_jobs()
    assert Drive.objects.get(pk=uuid).status == "unmounted"


def test_clone_of_a_deleted_snapshot_is_not_retried(
    api: APIClient, owner: User, run_jobs: RunJobs
) -> None:
    snapshot = SnapshotFactory(owner=owner)
    clone(api, snapshot)
    action = f"{API}/jobs/{Job.objects.get().pk}/action/?do="
    api.post(f"{action}cancel")
    api.delete(f"{API}/snapshots/{snapshot.pk}/")
    run_jobs()
    response = api.post(f"{action}retry")
    assert (response.status_code, faults_of(response)) == (403, [("permission", "resources")])


def test_clone_whose_source_vanished_fails_with_a_sentence(
    api: APIClient, owner: User, run_jobs: RunJobs
) -> None:
    snapshot = SnapshotFactory(owner=owner)
    uuid = clone(api, snapshot).json()["uuid"]
    backend_of(snapshot).delete(snapshot.pk)
    run_jobs()
    assert Job.objects.get().error == f"There is no image {snapshot.pk}."
    assert Drive.objects.get(pk=uuid).status == "unavailable"


# --- storage and database disagree ----------------------------------------------------------


@pytest.fixture
def aged(monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    monkeypatch.setattr(reconciliation.time, "time", lambda: real() + 3600)


def found() -> list[Any]:
    return [(finding.fault, finding.uuid) for finding in reconciliation.find()]


def fix_all() -> list[bool]:
    return [reconciliation.fix(finding) for finding in reconciliation.find()]


@pytest.mark.usefixtures("aged")
def test_images_of_snapshots_are_no_leftovers(
    api: APIClient, owner: User, run_jobs: RunJobs
) -> None:
    SnapshotFactory(owner=owner)
    api.post(f"{API}/snapshots/", {"drive": str(DriveFactory(owner=owner).pk)})
    assert found() == []
    run_jobs()
    assert found() == []


@pytest.mark.usefixtures("aged")
def test_partial_of_a_snapshot_without_a_job_is_freed(owner: User, storage: Path) -> None:
    uuid = uuid4()
    snapshot = SnapshotFactory(owner=owner, uuid=uuid)
    partial = storage / snapshot.storage_host / f"{uuid}.partial"
    partial.write_bytes(b"x")
    Snapshot.objects.update(status="unavailable")
    assert found() == [(Fault.PARTIAL_WITHOUT_JOB, uuid)]
    assert (fix_all(), partial.exists()) == ([True], False)


def test_snapshot_without_an_image_becomes_unavailable(owner: User, storage: Path) -> None:
    snapshot = SnapshotFactory(owner=owner)
    backend_of(snapshot).delete(snapshot.pk)
    assert found() == [(Fault.DRIVE_WITHOUT_IMAGE, snapshot.pk)]
    assert fix_all() == [True]
    snapshot.refresh_from_db()
    assert (snapshot.status, found()) == ("unavailable", [])


@pytest.mark.parametrize(
    ("status", "has_image", "settled"),
    [("creating", True, "available"), ("creating", False, "unavailable")],
)
def test_snapshot_without_a_job_is_settled(
    owner: User, storage: Path, status: str, has_image: bool, settled: str
) -> None:
    snapshot = SnapshotFactory(owner=owner, status=status)
    if not has_image:
        backend_of(snapshot).delete(snapshot.pk)
    assert (found(), fix_all()) == ([(Fault.STATUS_WITHOUT_JOB, snapshot.pk)], [True])
    snapshot.refresh_from_db()
    assert (snapshot.status, found()) == (settled, [])


def test_deletion_without_a_job_is_done_again(
    owner: User, storage: Path, run_jobs: RunJobs
) -> None:
    SnapshotFactory(owner=owner, status="deleting")
    assert (fix_all(), found()) == ([True], [])
    run_jobs()
    assert not Snapshot.objects.exists()
