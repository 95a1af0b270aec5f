import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.cloning import clone_drive
from drives.models import Drive
from tests.factories import DriveFactory
from tests.wire import (
    API,
    assert_as_many,
    drive_json,
    faults_of,
    queries_of,
    related_json,
)

DRIVES = f"{API}/drives/"
LISTS = ["drives/", "drives/detail/"]


def body_of(api: APIClient, path: str) -> dict[str, Any]:
    response = api.get(f"{API}/{path}")
    assert response.status_code == 200
    return json.loads(response.getvalue())


@pytest.mark.parametrize("limit", [20, 0])
def test_list_is_short(api: APIClient, owner: User, limit: int) -> None:
    drives = DriveFactory.create_batch(2, owner=owner)
    assert body_of(api, f"drives/?limit={limit}") == {
        "meta": {"limit": limit, "offset": 0, "total_count": 2},
        "objects": [
            {
                "owner": related_json("user", owner.pk),
                "resource_uri": f"/api/2.0/drives/{drive.pk}/",
                "status": "unmounted",
                "uuid": str(drive.pk),
            }
            for drive in drives
        ],
    }


@pytest.mark.parametrize("limit", [20, 0])
def test_detail_list_is_complete(api: APIClient, owner: User, limit: int) -> None:
    drives = DriveFactory.create_batch(2, owner=owner, meta={"description": ""})
    assert body_of(api, f"drives/detail/?limit={limit}") == {
        "meta": {"limit": limit, "offset": 0, "total_count": 2},
        "objects": [drive_json(drive) for drive in drives],
    }


def test_list_of_uuid_and_status(api: APIClient, owner: User) -> None:
    ready = DriveFactory(owner=owner)
    broken = DriveFactory(owner=owner, status=Drive.Status.UNAVAILABLE)
    assert body_of(api, "drives/?fields=uuid,status&limit=0") == {
        "meta": {"limit": 0, "offset": 0, "total_count": 2},
        "objects": [
            {"status": "unmounted", "uuid": str(ready.pk)},
            {"status": "unavailable", "uuid": str(broken.pk)},
        ],
    }


@pytest.mark.parametrize("path", LISTS)
def test_list_shows_nothing_of_others(stranger_api: APIClient, owner: User, path: str) -> None:
    DriveFactory(owner=owner)
    assert body_of(stranger_api, path)["objects"] == []
    assert body_of(stranger_api, f"{path}?limit=0")["meta"]["total_count"] == 0


@pytest.mark.parametrize("path", LISTS)
def test_list_is_not_for_anonymous(anonymous_api: APIClient, path: str) -> None:
    response = anonymous_api.get(f"{API}/{path}?limit=0")
    assert response.status_code == 401
    assert faults_of(response) == [("permission", None)]


def test_detail_list_shows_the_jobs_of_each_drive(api: APIClient, owner: User) -> None:
    source = DriveFactory(owner=owner)
    clones = [clone_drive(source.pk, owner, {}) for _ in range(2)]
    shown = {one["uuid"]: one["jobs"] for one in body_of(api, "drives/detail/")["objects"]}
    assert [len(shown[str(clone.pk)]) for clone in clones] == [1, 1]
    assert shown[str(source.pk)] == shown[str(clones[0].pk)] + shown[str(clones[1].pk)]


@pytest.mark.parametrize("path", [*LISTS, "drives/?limit=0", "drives/detail/?limit=0"])
def test_list_costs_as_many_queries_for_two_as_for_twenty(
    api: APIClient, owner: User, path: str
) -> None:
    def make_pairs(count: int) -> None:
        for drive in DriveFactory.create_batch(count, owner=owner):
            clone_drive(drive.pk, owner, {})

    make_pairs(1)
    few = queries_of(lambda: api.get(f"{API}/{path}"))
    make_pairs(9)
    assert_as_many(few, queries_of(lambda: api.get(f"{API}/{path}")))
