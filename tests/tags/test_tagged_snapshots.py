"""Tags of snapshots: given with them, shown by them, found by them, gone with them."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive, Snapshot
from tags.models import Tag, TagLink
from tests.conftest import Unchanged
from tests.factories import DriveFactory, SnapshotFactory, TagFactory
from tests.wire import (
    API,
    assert_as_many,
    faults_of,
    queries_of,
    related_json,
    snapshot_json,
    tag_json,
)

SNAPSHOTS = f"{API}/snapshots/"


@pytest.fixture
def tags(owner: User) -> list[Tag]:
    return TagFactory.create_batch(2, owner=owner)


@pytest.fixture
def snapshot(storage: object, owner: User) -> Snapshot:
    return SnapshotFactory(owner=owner)


def shown(tags: list[Tag]) -> list[dict[str, str]]:
    return [related_json("tags", tag.pk) for tag in tags]


def test_it_is_taken_with_tags(api: APIClient, drive: Drive, tags: list[Tag]) -> None:
    given = [str(tags[1].pk), {"uuid": str(tags[0].pk)}]
    made = api.post(SNAPSHOTS, {"drive": str(drive.pk), "tags": given}).json()["objects"][0]
    assert made["tags"] == shown([tags[1], tags[0]])
    assert api.get(made["resource_uri"]).json()["tags"] == made["tags"]


def test_update_replaces_tags_that_are_given(
    api: APIClient, snapshot: Snapshot, tags: list[Tag]
) -> None:
    address = f"{SNAPSHOTS}{snapshot.pk}/"
    TagLink.objects.create(tag=tags[0], kind="snapshots", object_uuid=snapshot.pk)
    assert api.put(address, {"name": "new"}).json()["tags"] == shown(tags[:1])
    assert api.put(address, {"tags": [str(tags[1].pk)]}).json()["tags"] == shown(tags[1:])
    assert api.put(address, {"tags": []}).json()["tags"] == []


def test_it_is_tagged_from_the_tag(api: APIClient, snapshot: Snapshot, tags: list[Tag]) -> None:
    tag = tags[0]
    body = {"name": tag.name, "resources": [str(snapshot.drive_id), str(snapshot.pk)]}
    answer = api.put(f"{API}/tags/{tag.pk}/", body).json()
    assert answer == tag_json(tag, snapshot.drive, snapshot)
    assert api.get(f"{SNAPSHOTS}{snapshot.pk}/").json()["tags"] == shown([tag])


def test_unknown_and_foreign_tags_are_refused(
    api: APIClient, snapshot: Snapshot, unchanged: Unchanged
) -> None:
    for other in (uuid4(), TagFactory().pk):
        body: dict[str, Any] = {"drive": str(snapshot.drive_id), "tags": [str(other)]}
        with unchanged():
            made = api.post(SNAPSHOTS, body)
            changed = api.put(f"{SNAPSHOTS}{snapshot.pk}/", body)
        assert (made.status_code, changed.status_code) == (400, 400)
        assert faults_of(made) == faults_of(changed) == [("validation", "tags.0")]


def test_foreign_snapshot_gets_no_tag(
    stranger: User, stranger_api: APIClient, snapshot: Snapshot, unchanged: Unchanged
) -> None:
    tag = TagFactory(owner=stranger)
    with unchanged():
        body = {"name": "mine", "resources": [str(snapshot.pk)]}
        refused = stranger_api.put(f"{API}/tags/{tag.pk}/", body)
    assert faults_of(refused) == [("validation", "resources.0")]


def test_list_is_filtered_by_tag(api: APIClient, owner: User, tags: list[Tag]) -> None:
    one, both, _ = SnapshotFactory.create_batch(3, owner=owner)
    for tag, snapshot in ((tags[0], one), (tags[0], both), (tags[1], both)):
        TagLink.objects.create(tag=tag, kind="snapshots", object_uuid=snapshot.pk)

    def found(query: str) -> list[str]:
        listed = api.get(f"{SNAPSHOTS}?{query}").json()["objects"]
        return [each["uuid"] for each in listed]

    first, second = tags[0].pk, tags[1].pk
    assert found(f"tag={first}") == [str(both.pk), str(one.pk)]
    assert found(f"tag={first}&tag={second}") == [str(both.pk)]
    assert found("tag=no-such-tag") == []


@pytest.mark.parametrize("path", ["", "detail/"])
def test_snapshots_of_a_tag_are_listed(
    api: APIClient, stranger_api: APIClient, owner: User, snapshot: Snapshot, path: str
) -> None:
    tag = TagFactory(owner=owner, resources=[snapshot])
    SnapshotFactory(owner=owner)
    address = f"{API}/tags/{tag.pk}/snapshots/{path}"
    expected = snapshot_json(snapshot, tags=shown([tag]))
    assert api.get(address).json()["objects"] == [expected]
    refused = stranger_api.get(address)
    assert (refused.status_code, faults_of(refused)) == (404, [("notexist", None)])


@pytest.mark.parametrize("what", ["snapshots", "drives"])
def test_deleted_it_leaves_its_tags(
    api: APIClient, snapshot: Snapshot, tags: list[Tag], run_jobs: Callable[[], None], what: str
) -> None:
    TagLink.objects.create(tag=tags[0], kind="snapshots", object_uuid=snapshot.pk)
    uuid = snapshot.pk if what == "snapshots" else snapshot.drive_id
    assert api.delete(f"{API}/{what}/{uuid}/").status_code == 204
    run_jobs()
    assert not Snapshot.objects.exists()
    assert api.get(f"{API}/tags/{tags[0].pk}/").json()["resources"] == []


def test_tags_cost_as_many_queries_for_two_as_for_twenty(
    api: APIClient, owner: User, tags: list[Tag]
) -> None:
    drive = DriveFactory(owner=owner)

    def add(count: int) -> None:
        for snapshot in SnapshotFactory.create_batch(count, owner=owner, drive=drive):
            for tag in tags:
                TagLink.objects.create(tag=tag, kind="snapshots", object_uuid=snapshot.pk)

    add(2)
    few = queries_of(lambda: api.get(SNAPSHOTS))
    add(18)
    assert_as_many(few, queries_of(lambda: api.get(SNAPSHOTS)))
