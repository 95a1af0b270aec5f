"""Snapshots: taken, changed, deleted; and what they mean for their drive."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive, Snapshot
from drives.operations import backend_of
from jobs import endings
from jobs.models import Job
from jobs.reports import Failure
from tests.conftest import Unchanged
from tests.factories import GIB, MIB, DriveFactory, MountFactory, SnapshotFactory
from tests.wire import API, faults_of, snapshot_json

SNAPSHOTS = f"{API}/snapshots/"
RunJobs = Callable[[], None]


def address(snapshot: Snapshot) -> str:
    return f"{SNAPSHOTS}{snapshot.pk}/"


def take(api: APIClient, drive: Drive, **said: Any) -> Snapshot:
    response = api.post(SNAPSHOTS, {"objects": [{"drive": str(drive.pk), **said}]})
    assert response.status_code == 201, response.json()
    return Snapshot.objects.get(pk=response.json()["objects"][0]["uuid"])


def bytes_of(image: Drive | Snapshot, length: int) -> bytes:
    with backend_of(image).open(image.pk) as file:
        return file.read(length)


def fail_jobs() -> None:
    for job in Job.objects.unfinished():
        job.claim("test")
        endings.finish(job, Job.State.FAILED, Failure("The disk is on fire."))


# --- taking ---------------------------------------------------------------------------------


def test_snapshot_is_taken(api: APIClient, owner: User, run_jobs: RunJobs) -> None:
    drive = DriveFactory(owner=owner, image=b"data" * MIB)
    definition = {"drive": str(drive.pk), "name": "first", "meta": {"key": "val"}}
    response = api.post(SNAPSHOTS, {"objects": [definition]})
    snapshot = Snapshot.objects.get()
    assert response.status_code == 201
    assert response["Location"] == f"/api/2.0/snapshots/{snapshot.pk}/"
    expected = snapshot_json(snapshot, status="creating", allocated_size=None)
    assert response.json() == {"objects": [expected]}
    assert (snapshot.name, snapshot.meta, snapshot.drive) == ("first", {"key": "val"}, drive)
    run_jobs()
    snapshot.refresh_from_db()
    assert (snapshot.status, snapshot.allocated_size) == ("available", 4 * MIB)
    assert api.get(address(snapshot)).json() == snapshot_json(snapshot)
    assert bytes_of(snapshot, 4 * MIB) == b"data" * MIB


def test_snapshot_without_a_name_is_called_by_drive_and_time(api: APIClient, owner: User) -> None:
    drive = DriveFactory(owner=owner)
    snapshot = take(api, drive)
    assert re.fullmatch(rf"{drive.pk}__\d{{4}}-\d\d-\d\d__\d\d_\d\d_\d\d", snapshot.name)


def test_snapshot_that_is_gone_is_no_fault_of_the_service(
    api: APIClient, owner: User, run_jobs: RunJobs
) -> None:
    take(api, DriveFactory(owner=owner)).delete()
    run_jobs()
    assert Job.objects.get().error == "The snapshot is not there any more."


def test_snapshot_stays_as_the_drive_was(api: APIClient, owner: User, run_jobs: RunJobs) -> None:
    drive = DriveFactory(owner=owner, image=b"before")
    snapshot = take(api, drive)
    run_jobs()
    with backend_of(drive).folder._final(drive.pk).open("r+b") as file:
        file.write(b"after!")
    assert bytes_of(snapshot, 6) == b"before"


def test_drive_cannot_change_while_a_snapshot_is_taken(
    api: APIClient, owner: User, run_jobs: RunJobs
) -> None:
    drive = DriveFactory(owner=owner)
    take(api, drive)
    uri = f"{API}/drives/{drive.pk}/"
    assert api.get(uri).json()["status"] == "cloning_src"
    assert api.post(f"{uri}action/?do=resize", {"size": 2 * GIB}).status_code == 503
    assert api.delete(uri).status_code == 503
    run_jobs()
    assert api.get(uri).json()["status"] == "unmounted"


def test_drive_is_busy_until_its_last_copy_ends(
    api: APIClient, owner: User, run_jobs: RunJobs
) -> None:
    drive = MountFactory(server__owner=owner).drive
    api.post(f"{API}/drives/{drive.pk}/action/?do=clone")
    take(api, drive)
    job = Job.objects.get(operation="snapshot_create")
    job.claim("test")
    endings.finish(job, Job.State.SUCCESS)
    drive.refresh_from_db()
    assert drive.status == "cloning_src"
    run_jobs()
    drive.refresh_from_db()
    assert drive.status == "mounted"


def test_several_snapshots_are_taken_or_none(
    api: APIClient, owner: User, unchanged: Unchanged, run_jobs: RunJobs
) -> None:
    drives = DriveFactory.create_batch(2, owner=owner)
    definitions = [{"drive": str(drive.pk)} for drive in drives]
    with unchanged():
        response = api.post(SNAPSHOTS, [*definitions, {"drive": str(uuid4())}])
    assert faults_of(response) == [("validation", "objects.2.drive")]
    assert api.post(SNAPSHOTS, definitions).status_code == 201
    run_jobs()
    assert set(Snapshot.objects.values_list("status", flat=True)) == {"available"}


def test_taking_makes_no_visible_job(api: APIClient, owner: User) -> None:
    drive = DriveFactory(owner=owner)
    take(api, drive)
    assert api.get(f"{API}/jobs/").json()["objects"] == []
    assert api.get(f"{API}/drives/{drive.pk}/").json()["jobs"] == []


def test_failed_snapshot_is_unavailable_and_the_drive_free(
    api: APIClient, owner: User, run_jobs: RunJobs
) -> None:
    drive = DriveFactory(owner=owner)
    snapshot = take(api, drive)
    fail_jobs()
    snapshot.refresh_from_db()
    drive.refresh_from_db()
    assert (snapshot.status, drive.status) == ("unavailable", "unmounted")
    assert api.delete(address(snapshot)).status_code == 204
    run_jobs()
    assert not Snapshot.objects.exists()


@pytest.mark.parametrize("status", ["creating", "cloning_dst", "resizing", "unavailable"])
def test_no_snapshot_of_a_drive_that_is_not_whole(
    api: APIClient, owner: User, unchanged: Unchanged, status: str
) -> None:
    drive = DriveFactory(owner=owner, status=status)
    with unchanged():
        response = api.post(SNAPSHOTS, {"drive": str(drive.pk)})
    assert (response.status_code, faults_of(response)) == (403, [("permission", "drive")])
    assert not api.get(f"{API}/drives/{drive.pk}/").json()["runtime"]["is_snapshotable"]


def test_no_snapshot_while_a_server_runs(api: APIClient, owner: User, unchanged: Unchanged) -> None:
    drive = MountFactory(server__owner=owner, server__status="running").drive
    with unchanged():
        response = api.post(SNAPSHOTS, {"drive": str(drive.pk)})
    assert (response.status_code, faults_of(response)) == (403, [("permission", "drive")])
    assert api.get(f"{API}/drives/{drive.pk}/").json()["runtime"]["is_snapshotable"] is False


def test_no_snapshot_that_does_not_fit(
    api: APIClient, owner: User, settings: Settings, unchanged: Unchanged
) -> None:
    drive = DriveFactory(owner=owner, image=b"x" * 8 * MIB)
    hosts = settings.STORAGE_HOSTS
    hosts[drive.storage_host]["options"]["capacity"] = 12 * MIB
    settings.STORAGE_HOSTS = dict(hosts)
    with unchanged():
        response = api.post(SNAPSHOTS, {"drive": str(drive.pk)})
    assert (response.status_code, faults_of(response)) == (503, [("backend", None)])


@pytest.mark.parametrize(
    ("said", "point"),
    [
        ({"drive": None}, "drive"),
        ({"drive": {}}, "drive"),
        ({"drive": "x"}, "drive"),
        ({"drive": 1}, "drive"),
        ({"name": "x" * 256}, "name"),
        ({"name": 1}, "name"),
        ({"meta": {"a": 1}}, "meta.a"),
        ({"meta": {"k" * 33: "v"}}, "meta." + "k" * 32),
        ({"tags": ["x"]}, "tags.0"),
    ],
)
def test_bad_definition_takes_nothing(
    api: APIClient, owner: User, unchanged: Unchanged, said: dict[str, Any], point: str
) -> None:
    drive = DriveFactory(owner=owner)
    with unchanged():
        response = api.post(SNAPSHOTS, {"drive": str(drive.pk)} | said)
    assert (response.status_code, faults_of(response)) == (400, [("validation", point)])


def test_nobody_takes_snapshots_of_others(
    stranger_api: APIClient, anonymous_api: APIClient, owner: User, unchanged: Unchanged
) -> None:
    drive = DriveFactory(owner=owner)
    with unchanged():
        response = stranger_api.post(SNAPSHOTS, {"drive": str(drive.pk)})
        assert anonymous_api.post(SNAPSHOTS, {"drive": str(drive.pk)}).status_code == 401
    assert (response.status_code, faults_of(response)) == (400, [("validation", "drive")])


# --- changing and deleting ------------------------------------------------------------------


def test_name_and_meta_are_changed(api: APIClient, owner: User) -> None:
    snapshot = SnapshotFactory(owner=owner, meta={"key": "val"})
    body = {"drive": str(snapshot.drive_id), "name": "renamed", "meta": {"new": "value"}}
    response = api.put(address(snapshot), body)
    assert response.status_code == 200
    assert response.json() == snapshot_json(snapshot, name="renamed", meta={"new": "value"})


def test_answer_is_taken_as_a_definition(api: APIClient, owner: User) -> None:
    snapshot = SnapshotFactory(owner=owner)
    shown = api.get(address(snapshot)).json()
    assert api.put(address(snapshot), shown).json() == shown


def test_empty_drive_changes_none(api: APIClient, owner: User) -> None:
    snapshot = SnapshotFactory(owner=owner)
    response = api.put(address(snapshot), {"drive": {}, "name": "renamed", "owner": {}})
    assert response.json() == snapshot_json(snapshot, name="renamed")


@pytest.mark.parametrize(
    ("said", "point"),
    [
        ({"drive": str(uuid4())}, "drive"),
        ({"drive": []}, "drive"),
        ({"name": 1}, "name"),
        ({"meta": []}, "meta"),
    ],
)
def test_bad_change_is_refused(
    api: APIClient, owner: User, unchanged: Unchanged, said: dict[str, Any], point: str
) -> None:
    snapshot = SnapshotFactory(owner=owner)
    with unchanged():
        response = api.put(address(snapshot), said)
    assert (response.status_code, faults_of(response)) == (400, [("validation", point)])


def test_snapshot_is_deleted_with_its_bytes(
    api: APIClient, owner: User, storage: Path, run_jobs: RunJobs
) -> None:
    snapshot = SnapshotFactory(owner=owner)
    response = api.delete(address(snapshot))
    assert (response.status_code, response.content) == (204, b"")
    assert api.get(address(snapshot)).json()["status"] == "deleting"
    assert api.delete(address(snapshot)).status_code == 204
    run_jobs()
    assert not Snapshot.objects.exists()
    assert not list(storage.rglob(f"{snapshot.pk}*"))
    assert backend_of(snapshot.drive).exists(snapshot.drive_id)


def test_several_snapshots_are_deleted_or_none(
    api: APIClient, owner: User, unchanged: Unchanged, run_jobs: RunJobs
) -> None:
    listed = [{"uuid": str(one.pk)} for one in SnapshotFactory.create_batch(2, owner=owner)]
    with unchanged():
        refused = api.delete(SNAPSHOTS, {"objects": [*listed, {"uuid": str(uuid4())}]})
    assert (refused.status_code, faults_of(refused)) == (404, [("notexist", "uuid")])
    assert api.delete(SNAPSHOTS, {"objects": listed}).status_code == 204
    run_jobs()
    assert not Snapshot.objects.exists()


def test_snapshot_that_is_being_taken_is_not_deleted(api: APIClient, owner: User) -> None:
    snapshot = take(api, DriveFactory(owner=owner))
    response = api.delete(address(snapshot))
    assert (response.status_code, faults_of(response)) == (503, [("concurrency", "status")])


def test_snapshots_are_deleted_with_their_drive(
    api: APIClient, owner: User, storage: Path, run_jobs: RunJobs
) -> None:
    drive = DriveFactory(owner=owner)
    SnapshotFactory.create_batch(2, owner=owner, drive=drive)
    assert api.delete(f"{API}/drives/{drive.pk}/").status_code == 204
    assert set(Snapshot.objects.values_list("status", flat=True)) == {"deleting"}
    run_jobs()
    assert not Drive.objects.exists()
    assert not Snapshot.objects.exists()
    assert not [path for path in storage.rglob("*") if path.is_file() and path.suffix]


def test_drive_that_cannot_be_deleted_keeps_its_snapshots_deletable(
    api: APIClient, owner: User, run_jobs: RunJobs
) -> None:
    snapshot = SnapshotFactory(owner=owner)
    api.delete(f"{API}/drives/{snapshot.drive_id}/")
    fail_jobs()
    snapshot.refresh_from_db()
    assert (snapshot.status, snapshot.drive.status) == ("unavailable", "unavailable")
    api.delete(f"{API}/drives/{snapshot.drive_id}/")
    run_jobs()
    assert not Snapshot.objects.exists()
