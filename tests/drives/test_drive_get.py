from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from tests.factories import DriveFactory
from tests.wire import API, assert_as_many, drive_json, faults_of, queries_of, runtime_json


def path(drive: Drive) -> str:
    return f"{API}/drives/{drive.pk}/"


def test_drive_that_is_ready(api: APIClient, owner: User) -> None:
    drive = DriveFactory(owner=owner)
    response = api.get(path(drive))
    assert response.status_code == 200
    assert response.json() == drive_json(drive)


def test_drive_of_another_is_not_there(stranger_api: APIClient, owner: User) -> None:
    response = stranger_api.get(path(DriveFactory(owner=owner)))
    assert response.status_code == 404
    assert faults_of(response) == [("notexist", None)]


def test_drive_is_not_for_anonymous(anonymous_api: APIClient) -> None:
    assert anonymous_api.get(path(DriveFactory())).status_code == 401


@pytest.mark.parametrize("uuid", [uuid4(), "not-a-uuid", "1", "%00", "x" * 36, "-" * 36])
def test_drive_that_never_was_is_not_there(api: APIClient, uuid: Any) -> None:
    response = api.get(f"{API}/drives/{uuid}/")
    assert response.status_code == 404
    assert faults_of(response) == [("notexist", None)]


def test_address_takes_the_uuid_in_capitals(api: APIClient, owner: User) -> None:
    drive = DriveFactory(owner=owner)
    assert api.get(f"{API}/drives/{str(drive.pk).upper()}/").json() == drive_json(drive)


@pytest.mark.parametrize(
    ("status", "downloadable", "snapshotable"),
    [
        ("creating", False, None),
        ("unmounted", True, True),
        ("mounted", True, True),
        ("cloning_src", True, True),
        ("cloning_dst", False, None),
        ("resizing", False, False),
        ("deleting", False, False),
        ("unavailable", False, False),
    ],
)
def test_runtime_follows_the_status(
    api: APIClient, owner: User, status: str, downloadable: bool, snapshotable: bool | None
) -> None:
    drive = DriveFactory(owner=owner, status=status)
    runtime = runtime_json("dssd", downloadable=downloadable, snapshotable=snapshotable)
    assert api.get(path(drive)).json() == drive_json(drive, status=status, runtime=runtime)


def test_drive_is_narrowed_to_the_fields(api: APIClient, owner: User) -> None:
    drive = DriveFactory(owner=owner)
    body = api.get(f"{path(drive)}?fields=runtime,uuid,nothing").json()
    assert body == {"runtime": runtime_json("dssd"), "uuid": str(drive.pk)}


def test_drive_costs_as_many_queries_however_many_jobs_it_has(api: APIClient, owner: User) -> None:
    drive = DriveFactory(owner=owner)
    few = queries_of(lambda: api.get(path(drive)))
    for _ in range(5):
        api.post(f"{path(drive)}action/?do=clone", {})
    assert len(api.get(path(drive)).json()["jobs"]) == 5
    assert_as_many(few, queries_of(lambda: api.get(path(drive))))
