"""Snapshots as they are looked at: lists, filters, narrowed, and their schema."""

import json
from uuid import UUID

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Snapshot
from tests.conftest import Unchanged
from tests.factories import MIB, DriveFactory, SnapshotFactory
from tests.wire import (
    API,
    assert_as_many,
    drive_json,
    flat_schema,
    queries_of,
    related_json,
    runtime_json,
    snapshot_json,
)

SNAPSHOTS = f"{API}/snapshots/"


def address(snapshot: Snapshot) -> str:
    return f"{SNAPSHOTS}{snapshot.pk}/"


@pytest.mark.parametrize("path", ["", "detail/"])
def test_list_shows_the_newest_first_in_full(api: APIClient, owner: User, path: str) -> None:
    drive = DriveFactory(owner=owner)
    old, new = SnapshotFactory.create_batch(2, owner=owner, drive=drive)
    answer = api.get(f"{SNAPSHOTS}{path}?limit=0").getvalue()
    assert json.loads(answer) == {
        "meta": {"limit": 0, "offset": 0, "total_count": 2},
        "objects": [snapshot_json(new), snapshot_json(old)],
    }


def test_list_for_a_drive(api: APIClient, owner: User) -> None:
    mine, _ = SnapshotFactory.create_batch(2, owner=owner)
    answer = api.get(f"{SNAPSHOTS}detail/?limit=0&drive={mine.drive_id}").getvalue()
    listed = json.loads(answer)
    assert [one["uuid"] for one in listed["objects"]] == [str(mine.pk)]


@pytest.mark.parametrize("query", ["drive=x", f"drive={UUID(int=1)}", "name=x", "uuid=x"])
def test_filter_that_matches_nothing(api: APIClient, owner: User, query: str) -> None:
    SnapshotFactory(owner=owner)
    assert api.get(f"{SNAPSHOTS}?{query}").json()["objects"] == []


def test_drive_lists_its_snapshots(api: APIClient, owner: User) -> None:
    drive = DriveFactory(owner=owner)
    old = SnapshotFactory(owner=owner, drive=drive, allocated_size=MIB)
    new = SnapshotFactory(owner=owner, drive=drive, allocated_size=2 * MIB)
    listed = [related_json("snapshots", one.pk) for one in (new, old)]
    runtime = runtime_json(drive.storage_type) | {"snapshots_allocated_size": 3 * MIB}
    expected = drive_json(drive, snapshots=listed, runtime=runtime)
    assert api.get(f"{API}/drives/{drive.pk}/").json() == expected
    assert api.get(f"{API}/drives/detail/").json()["objects"] == [expected]


def test_snapshots_of_others_are_not_there(
    stranger_api: APIClient, anonymous_api: APIClient, owner: User, unchanged: Unchanged
) -> None:
    uri = address(SnapshotFactory(owner=owner))
    body = {"name": "mine"}
    assert stranger_api.get(SNAPSHOTS).json()["objects"] == []
    with unchanged():
        for client, status in ((stranger_api, 404), (anonymous_api, 401)):
            assert client.get(uri).status_code == status
            assert client.put(uri, body).status_code == status
            assert client.delete(uri).status_code == status
            assert client.post(f"{uri}action/?do=clone").status_code == status


@pytest.mark.parametrize("path", ["snapshots/", "drives/detail/"])
def test_lists_cost_as_many_queries_however_long(api: APIClient, owner: User, path: str) -> None:
    SnapshotFactory.create_batch(2, owner=owner)
    few = queries_of(lambda: api.get(f"{API}/{path}"))
    SnapshotFactory.create_batch(18, owner=owner)
    assert_as_many(few, queries_of(lambda: api.get(f"{API}/{path}")))


def test_fields_narrow_the_answer(api: APIClient, owner: User) -> None:
    snapshot = SnapshotFactory(owner=owner)
    listed = api.get(f"{SNAPSHOTS}?fields=uuid,status,nonsense").json()["objects"]
    assert listed == [{"status": "available", "uuid": str(snapshot.pk)}]


def test_schema_describes_the_resource(api: APIClient) -> None:
    schema = api.get(f"{SNAPSHOTS}schema/").json()
    no_default = "No default provided."
    described = {
        name: (each["type"], each["default"], each["readonly"], each["required"])
        for name, each in flat_schema(schema.pop("fields")).items()
    }
    assert described == {
        "allocated_size": ("integer", no_default, True, True),
        "drive": ("related", None, False, True),
        "grantees": ("list", no_default, True, False),
        "meta": ("dict", {}, False, False),
        "name": ("string", None, False, False),
        "owner": ("related", None, True, False),
        "permissions": ("list", no_default, True, False),
        "resource_uri": ("string", no_default, True, True),
        "status": ("string", no_default, True, True),
        "tags": ("related", no_default, False, False),
        "timestamp": ("string", None, True, True),
        "uuid": ("string", None, True, True),
    }
    assert schema == {
        "allowed_detail_http_methods": ["get", "put", "delete"],
        "allowed_list_http_methods": ["get", "delete", "post"],
        "default_format": "application/json",
        "default_limit": 20,
        "filtering": dict.fromkeys(("drive", "name", "name__contains", "tag", "uuid"), "exact"),
        "ordering": ["uuid", "name"],
    }
