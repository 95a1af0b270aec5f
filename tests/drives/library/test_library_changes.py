"""Who may change what is in the library, and when."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from cloudjobs.api.exceptions import PointedError
from drives.cloning import clone_drive
from drives.library.actions import move_to_library
from drives.models import Drive, LibraryEntry
from tests.conftest import Unchanged, client_of
from tests.factories import GIB, DriveFactory, LibraryEntryFactory, MountFactory
from tests.wire import API, faults_of

FULL = {"name": "new", "size": GIB, "media": "cdrom"}


@pytest.fixture
def entry(db: None) -> LibraryEntry:
    return LibraryEntryFactory(drive__media="cdrom")


@pytest.fixture
def operator_api(db: None) -> APIClient:
    return client_of(User.objects.create_superuser("operator@example.com", "secret"))


def path(entry: LibraryEntry) -> str:
    return f"{API}/drives/{entry.pk}/"


def change(api: APIClient, entry: LibraryEntry, how: str) -> Any:
    if how == "put":
        return api.put(path(entry), FULL)
    if how == "delete":
        return api.delete(path(entry))
    if how == "delete several":
        return api.delete(f"{API}/drives/", {"objects": [{"uuid": str(entry.pk)}]})
    return api.post(f"{path(entry)}action/?do=resize", FULL | {"size": 2 * GIB})


CHANGES = ["put", "delete", "delete several", "resize"]


@pytest.mark.parametrize("how", CHANGES)
def test_user_changes_nothing(
    api: APIClient, entry: LibraryEntry, unchanged: Unchanged, how: str
) -> None:
    with unchanged():
        response = change(api, entry, how)
    assert response.status_code == 403
    assert faults_of(response) == [("permission", "owner")]


@pytest.mark.parametrize("how", CHANGES)
def test_staff_without_the_right_changes_nothing(
    entry: LibraryEntry, unchanged: Unchanged, owner: User, how: str
) -> None:
    owner.is_staff = True
    owner.save()
    with unchanged():
        assert change(client_of(owner), entry, how).status_code == 403


@pytest.mark.parametrize("how", CHANGES)
def test_anonymous_changes_nothing(
    anonymous_api: APIClient, entry: LibraryEntry, unchanged: Unchanged, how: str
) -> None:
    with unchanged():
        assert change(anonymous_api, entry, how).status_code == 401


def test_operator_changes_resizes_and_deletes(
    operator_api: APIClient, entry: LibraryEntry, run_jobs: Callable[[], None]
) -> None:
    assert change(operator_api, entry, "put").json()["name"] == "new"
    assert change(operator_api, entry, "resize").status_code == 202
    run_jobs()
    entry.drive.refresh_from_db()
    assert (entry.drive.size, entry.drive.status) == (2 * GIB, "unmounted")
    assert change(operator_api, entry, "delete").status_code == 204
    run_jobs()
    assert not Drive.objects.exists()
    assert not LibraryEntry.objects.exists()


@pytest.mark.parametrize("how", ["delete", "resize"])
def test_mounted_cd_is_left_alone(
    operator_api: APIClient, entry: LibraryEntry, unchanged: Unchanged, how: str
) -> None:
    MountFactory(drive=entry.drive)
    with unchanged():
        response = change(operator_api, entry, how)
    assert response.status_code == 403
    assert faults_of(response) == [("permission", "status")]


def test_mounted_cd_stays_a_cd(operator_api: APIClient, entry: LibraryEntry) -> None:
    MountFactory(drive=entry.drive)
    response = operator_api.put(path(entry), FULL | {"media": "disk"})
    assert (response.json()["name"], response.json()["media"]) == ("new", "cdrom")


@pytest.mark.parametrize("how", ["delete", "resize"])
def test_drive_that_is_being_cloned_is_left_alone(
    operator_api: APIClient, owner: User, entry: LibraryEntry, unchanged: Unchanged, how: str
) -> None:
    clone_drive(entry.pk, owner, {})
    with unchanged():
        response = change(operator_api, entry, how)
    assert response.status_code == 503
    assert faults_of(response) == [("concurrency", "status")]


def test_drive_moves_into_the_library(api: APIClient, owner: User) -> None:
    drive = DriveFactory(owner=owner)
    move_to_library(drive.pk)
    assert api.get(f"{API}/drives/").json()["objects"] == []
    assert api.get(f"{API}/libdrives/{drive.pk}/").json()["owner"] is None


@pytest.mark.parametrize(
    ("status", "point"),
    [("mounted", "status"), ("creating", "status"), ("cloning_src", "status")],
)
def test_drive_that_is_in_use_stays_with_its_owner(
    owner: User, unchanged: Unchanged, status: str, point: str
) -> None:
    drive = DriveFactory(owner=owner, status=status)
    with unchanged(), pytest.raises(PointedError) as refusal:
        move_to_library(drive.pk)
    assert refusal.value.point == point


def test_drive_moves_once(entry: LibraryEntry) -> None:
    with pytest.raises(PointedError) as refusal:
        move_to_library(entry.pk)
    assert refusal.value.point == "owner"
