"""Clones of what is in the library."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives import reconciliation
from drives.library.actions import move_to_library
from drives.models import Drive, LibraryEntry
from jobs.actions import cancel_job, retry_job
from jobs.models import Job
from tests.conftest import Unchanged
from tests.factories import DriveFactory, LibraryEntryFactory, MountFactory, ServerFactory
from tests.wire import API, drive_json, faults_of, related_json, runtime_json

PATHS = ["libdrives", "drives"]
CLONING = {"downloadable": False, "snapshotable": None}


@pytest.fixture
def entry(db: None) -> LibraryEntry:
    return LibraryEntryFactory(drive__name="golden", drive__image=b"golden data")


def clone(api: APIClient, entry: LibraryEntry, path: str = "libdrives", body: Any = None) -> Any:
    return api.post(f"{API}/{path}/{entry.pk}/action/?do=clone", body or {})


def clones_of(user: User) -> list[Drive]:
    return list(Drive.objects.owned_by(user))


@pytest.mark.parametrize("path", PATHS)
def test_clone_belongs_to_who_asks(
    api: APIClient, owner: User, entry: LibraryEntry, path: str
) -> None:
    response = clone(api, entry, path)
    assert response.status_code == 202
    (drive,), job = clones_of(owner), Job.objects.get()
    expected = drive_json(
        drive, jobs=[related_json("jobs", job.pk)], runtime=runtime_json("dssd", **CLONING)
    )
    assert response.json() == {"objects": [expected]}
    assert (job.owner, drive.name, drive.status) == (owner, "golden", "cloning_dst")


def test_clone_has_the_data(
    api: APIClient, owner: User, entry: LibraryEntry, run_jobs: Callable[[], None]
) -> None:
    clone(api, entry)
    run_jobs()
    (drive,) = clones_of(owner)
    image = api.get(f"{API}/drives/{drive.pk}/download/", headers={"Range": "bytes=0-10"})
    assert (drive.status, image.getvalue()) == ("unmounted", b"golden data")


def test_what_was_got_may_be_sent_back(api: APIClient, owner: User, entry: LibraryEntry) -> None:
    shown = api.get(f"{API}/libdrives/{entry.pk}/").json()
    response = clone(api, entry, body=shown | {"name": "mine"})
    assert response.status_code == 202
    assert [drive.name for drive in clones_of(owner)] == ["mine"]


def test_names_follow_the_profile_of_who_asks(
    api: APIClient, owner: User, entry: LibraryEntry
) -> None:
    owner.profile.clone_naming = "COUNTER"
    owner.profile.save()
    clone(api, entry)
    clone(api, entry)
    assert [drive.name for drive in clones_of(owner)] == ["golden_1", "golden_2"]


def test_clones_of_others_are_not_seen(
    api: APIClient, stranger_api: APIClient, entry: LibraryEntry
) -> None:
    clone(api, entry)
    job = related_json("jobs", Job.objects.get().pk)
    for path in PATHS:
        address = f"{API}/{path}/{entry.pk}/"
        assert api.get(address).json()["jobs"] == [job]
        shown = stranger_api.get(address).json()
        assert (shown["jobs"], shown["status"]) == ([], "unmounted")


def test_cancelled_clone_is_retried(
    api: APIClient, owner: User, entry: LibraryEntry, run_jobs: Callable[[], None]
) -> None:
    clone(api, entry)
    job = Job.objects.get()
    cancel_job(job.pk, owner)
    assert clones_of(owner) == []
    retry_job(job.pk, owner)
    run_jobs()
    entry.drive.refresh_from_db()
    assert (clones_of(owner)[0].status, entry.drive.status) == ("unmounted", "unmounted")


def test_mounted_cd_is_cloned_while_servers_run(api: APIClient, owner: User) -> None:
    entry = LibraryEntryFactory(drive__media="cdrom")
    MountFactory(drive=entry.drive, server__status="running")
    assert clone(api, entry).status_code == 202


def test_own_drives_are_not_cloned_from_the_library(
    api: APIClient, owner: User, unchanged: Unchanged
) -> None:
    drive = DriveFactory(owner=owner)
    with unchanged():
        response = api.post(f"{API}/libdrives/{drive.pk}/action/?do=clone", {})
    assert response.status_code == 404
    assert faults_of(response) == [("notexist", None)]


@pytest.mark.parametrize(
    ("body", "point"), [({"size": 1}, "size"), ({"media": "tape"}, "media"), ({"oops": 1}, "oops")]
)
def test_bad_wishes_are_refused(
    api: APIClient, entry: LibraryEntry, unchanged: Unchanged, body: Any, point: str
) -> None:
    with unchanged():
        response = clone(api, entry, body=body)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", point)]


@pytest.mark.parametrize("path", PATHS)
def test_clone_is_not_for_anonymous(
    anonymous_api: APIClient, entry: LibraryEntry, path: str, unchanged: Unchanged
) -> None:
    with unchanged():
        response = clone(anonymous_api, entry, path)
    assert response.status_code == 401


def test_cdrom_is_mounted_by_anyone(api: APIClient, stranger_api: APIClient) -> None:
    entry = LibraryEntryFactory(drive__media="cdrom")
    for client in (api, stranger_api):
        response = client.post(f"{API}/servers/", definition(entry))
        assert response.status_code == 201
        server = response.json()["objects"][0]
        assert server["drives"][0]["drive"] == related_json("drives", entry.pk)
        start = client.post(f"{API}/servers/{server['uuid']}/action/?do=start")
        assert start.status_code == 202


def test_disk_of_the_library_is_not_mounted(
    api: APIClient, entry: LibraryEntry, unchanged: Unchanged
) -> None:
    with unchanged():
        response = api.post(f"{API}/servers/", definition(entry))
    assert response.status_code == 403
    assert faults_of(response) == [("permission", "drives.0.drive")]


def definition(entry: LibraryEntry) -> dict[str, Any]:
    mount = {"drive": str(entry.pk), "device": "ide", "dev_channel": "0:0"}
    machine = {"name": "s", "cpu": 1000, "mem": 2**30, "vnc_password": "secret"}
    return {**machine, "drives": [mount]}


@pytest.mark.parametrize("recurse", ["all_drives", "cdroms"])
def test_cdrom_stays_when_its_server_goes(api: APIClient, owner: User, recurse: str) -> None:
    entry = LibraryEntryFactory(drive__media="cdrom")
    server = ServerFactory(owner=owner)
    MountFactory(server=server, drive=entry.drive)
    assert api.delete(f"{API}/servers/{server.pk}/?recurse={recurse}").status_code == 204
    entry.drive.refresh_from_db()
    assert (entry.drive.status, Job.objects.count()) == ("unmounted", 0)


def test_clone_of_a_server_has_the_same_library_cd(api: APIClient, owner: User) -> None:
    entry = LibraryEntryFactory(drive__media="cdrom")
    mount = MountFactory(server__owner=owner, drive=entry.drive)
    response = api.post(f"{API}/servers/{mount.server_id}/action/?do=clone", {})
    assert response.json()["drives"][0]["drive"] == related_json("drives", entry.pk)


def test_reconciliation_leaves_the_library_without_a_job(entry: LibraryEntry) -> None:
    Drive.objects.update(status="deleting")
    (finding,) = reconciliation.find()
    assert finding.remedy == "it is settled"
    assert reconciliation.fix(finding)
    entry.drive.refresh_from_db()
    assert entry.drive.status == "unmounted"


def test_moved_drive_keeps_its_old_clones(
    api: APIClient, owner: User, run_jobs: Callable[[], None]
) -> None:
    drive = DriveFactory(owner=owner)
    api.post(f"{API}/drives/{drive.pk}/action/?do=clone", {})
    run_jobs()
    move_to_library(drive.pk)
    assert len(api.get(f"{API}/libdrives/{drive.pk}/").json()["jobs"]) == 1
