"""Tags of drives and servers: given with them, shown by them, found by them, gone with them."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.library.actions import move_to_library
from drives.models import Drive
from jobs.actions import cancel_job, retry_job
from jobs.models import Job
from servers.models import Server
from tags.models import Tag, TagLink
from tests.conftest import Unchanged, client_of
from tests.factories import (
    GIB,
    DriveFactory,
    LibraryEntryFactory,
    MountFactory,
    ServerFactory,
    SnapshotFactory,
    TagFactory,
)
from tests.wire import API, assert_as_many, faults_of, queries_of, related_json

DEFINITIONS: dict[str, dict[str, Any]] = {
    "drives": {"name": "new", "size": GIB, "media": "disk"},
    "servers": {"name": "new", "cpu": 1000, "mem": GIB, "vnc_password": "secret"},
}
KINDS = list(DEFINITIONS)
FACTORIES: dict[str, Any] = {"drives": DriveFactory, "servers": ServerFactory}


@pytest.fixture
def tags(owner: User) -> list[Tag]:
    return TagFactory.create_batch(2, owner=owner)


def shown(tags: list[Tag]) -> list[dict[str, str]]:
    return [related_json("tags", tag.pk) for tag in tags]


def objects(api: APIClient, address: str) -> list[dict[str, Any]]:
    return json.loads(api.get(f"{API}/{address}").getvalue())["objects"]


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_made_with_tags(api: APIClient, tags: list[Tag], kind: str) -> None:
    given = [str(tags[1].pk), {"uuid": str(tags[0].pk)}]
    response = api.post(f"{API}/{kind}/", {**DEFINITIONS[kind], "tags": given})
    assert response.status_code == 201
    one = response.json()["objects"][0]
    assert one["tags"] == shown([tags[1], tags[0]])
    assert api.get(one["resource_uri"]).json()["tags"] == one["tags"]
    assert objects(api, f"{kind}/detail/")[0]["tags"] == one["tags"]


@pytest.mark.parametrize("kind", KINDS)
def test_update_replaces_tags_that_are_given(
    api: APIClient, owner: User, tags: list[Tag], kind: str
) -> None:
    thing = FACTORIES[kind](owner=owner)
    address = f"{API}/{kind}/{thing.pk}/"
    TagLink.objects.create(tag=tags[0], kind=kind, object_uuid=thing.pk)
    kept = api.put(address, DEFINITIONS[kind])
    assert kept.json()["tags"] == shown(tags[:1])
    changed = api.put(address, {**DEFINITIONS[kind], "tags": [str(tags[1].pk)]})
    assert changed.json()["tags"] == shown(tags[1:])
    assert api.put(address, {**DEFINITIONS[kind], "tags": []}).json()["tags"] == []


@pytest.mark.parametrize("kind", KINDS)
def test_tags_change_while_a_server_runs(
    api: APIClient, owner: User, tags: list[Tag], kind: str
) -> None:
    mount = MountFactory(server__owner=owner, server__status="running")
    uuid = mount.drive_id if kind == "drives" else mount.server_id
    body = {**DEFINITIONS[kind], "tags": [str(tags[0].pk)]}
    assert api.put(f"{API}/{kind}/{uuid}/", body).json()["tags"] == shown(tags[:1])


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_and_foreign_tags_are_refused(
    api: APIClient, owner: User, tags: list[Tag], kind: str, unchanged: Unchanged
) -> None:
    thing = FACTORIES[kind](owner=owner)
    for other in (uuid4(), TagFactory().pk):
        body = {**DEFINITIONS[kind], "tags": [str(tags[0].pk), str(other)]}
        with unchanged():
            made = api.post(f"{API}/{kind}/", body)
            changed = api.put(f"{API}/{kind}/{thing.pk}/", body)
        assert (made.status_code, changed.status_code) == (400, 400)
        assert faults_of(made) == faults_of(changed) == [("validation", "tags.1")]


def test_bad_tags_in_bulk_are_pointed_at(api: APIClient, unchanged: Unchanged) -> None:
    body = [DEFINITIONS["drives"], {**DEFINITIONS["drives"], "tags": [str(uuid4())]}]
    with unchanged():
        response = api.post(f"{API}/drives/", body)
    assert faults_of(response) == [("validation", "objects.1.tags.0")]


def test_upload_in_chunks_is_given_tags(
    api: APIClient, tags: list[Tag], unchanged: Unchanged
) -> None:
    body = {**DEFINITIONS["drives"], "tags": [str(tag.pk) for tag in tags]}
    made = api.post(f"{API}/initupload/", body).json()["objects"][0]
    assert (made["status"], made["tags"]) == ("uploading", shown(tags))
    assert api.get(f"{API}/drives/{made['uuid']}/").json()["tags"] == shown(tags)
    with unchanged():
        refused = api.post(f"{API}/initupload/", body | {"tags": [str(uuid4())]})
    assert faults_of(refused) == [("validation", "tags.0")]


def test_what_is_in_the_library_gets_no_tags(unchanged: Unchanged) -> None:
    operator = User.objects.create_superuser("operator@example.com", "secret")
    entry, tag = LibraryEntryFactory(), TagFactory(owner=operator)
    body = {**DEFINITIONS["drives"], "tags": [str(tag.pk)]}
    with unchanged():
        response = client_of(operator).put(f"{API}/drives/{entry.pk}/", body)
    assert faults_of(response) == [("validation", "tags")]


@pytest.mark.parametrize("kind", KINDS)
def test_clone_has_the_tags_of_its_source(
    api: APIClient, owner: User, tags: list[Tag], kind: str
) -> None:
    thing = FACTORIES[kind](owner=owner)
    for tag in tags:
        TagLink.objects.create(tag=tag, kind=kind, object_uuid=thing.pk)
    clone = api.post(f"{API}/{kind}/{thing.pk}/action/?do=clone", {}).json()
    one = clone["objects"][0] if kind == "drives" else clone
    assert one["tags"] == shown(tags)
    assert one["uuid"] != str(thing.pk)


def test_clone_of_a_drive_may_have_other_tags(
    api: APIClient, drive: Drive, tags: list[Tag]
) -> None:
    TagLink.objects.create(tag=tags[0], kind="drives", object_uuid=drive.pk)
    body = {"tags": [str(tags[1].pk)]}
    clone = api.post(f"{API}/drives/{drive.pk}/action/?do=clone", body).json()["objects"][0]
    assert clone["tags"] == shown(tags[1:])


def test_clone_of_a_snapshot_has_the_tags_of_its_drive(
    api: APIClient, owner: User, drive: Drive, tags: list[Tag]
) -> None:
    TagLink.objects.create(tag=tags[0], kind="drives", object_uuid=drive.pk)
    snapshot = SnapshotFactory(owner=owner, drive=drive)
    uri = f"{API}/snapshots/{snapshot.pk}/action/?do=clone"
    assert api.post(uri, {}).json()["tags"] == shown(tags[:1])
    wished = api.post(uri, {"tags": [str(tags[1].pk)]}).json()
    assert wished["tags"] == shown(tags[1:])


def test_deleted_server_leaves_its_tags(api: APIClient, owner: User, server: Server) -> None:
    tag = TagFactory(owner=owner, resources=[server])
    api.delete(f"{API}/servers/{server.pk}/")
    assert api.get(f"{API}/tags/{tag.pk}/").json()["resources"] == []


def test_deleted_drive_leaves_its_tags(
    api: APIClient, owner: User, drive: Drive, run_jobs: Callable[[], None]
) -> None:
    tag = TagFactory(owner=owner, resources=[drive])
    api.delete(f"{API}/drives/{drive.pk}/")
    run_jobs()
    assert api.get(f"{API}/tags/{tag.pk}/").json()["resources"] == []


def test_cancelled_clone_leaves_its_tags_until_it_is_retried(
    api: APIClient, owner: User, drive: Drive, tags: list[Tag]
) -> None:
    body = {"tags": [str(tag.pk) for tag in tags]}
    api.post(f"{API}/drives/{drive.pk}/action/?do=clone", body)
    job = cancel_job(Job.objects.get().pk, owner)
    assert not TagLink.objects.exists()
    tags[0].delete()
    retry_job(job.pk, owner)
    clone = Drive.objects.exclude(pk=drive.pk).get()
    assert api.get(f"{API}/drives/{clone.pk}/").json()["tags"] == shown(tags[1:])


def test_drive_that_moves_to_the_library_leaves_its_tags(owner: User, drive: Drive) -> None:
    TagFactory(owner=owner, resources=[drive])
    move_to_library(drive.pk)
    assert not TagLink.objects.exists()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("address", ["", "detail/"])
def test_lists_are_filtered_by_tag(
    api: APIClient, owner: User, tags: list[Tag], kind: str, address: str
) -> None:
    one, both, _ = FACTORIES[kind].create_batch(3, owner=owner)
    for tag, thing in ((tags[0], one), (tags[0], both), (tags[1], both)):
        TagLink.objects.create(tag=tag, kind=kind, object_uuid=thing.pk)

    def found(query: str) -> list[str]:
        return [each["uuid"] for each in objects(api, f"{kind}/{address}?{query}")]

    first, second = tags[0].pk, tags[1].pk
    assert found(f"tag={first}") == [str(one.pk), str(both.pk)]
    assert found(f"tag={first}&tag={second}") == [str(both.pk)]
    assert found(f"tag={second},{first}") == [str(one.pk), str(both.pk)]
    assert found("tag=no-such-tag") == []


@pytest.mark.parametrize("limit", [20, 0])
def test_servers_of_a_tag_are_listed(
    api: APIClient, owner: User, server: Server, limit: int
) -> None:
    tag = TagFactory(owner=owner, resources=[server])
    ServerFactory(owner=owner)
    assert objects(api, f"tags/{tag.pk}/servers/?limit={limit}") == [
        {
            "name": server.name,
            "owner": related_json("user", owner.pk),
            "resource_uri": related_json("servers", server.pk),
            "runtime": None,
            "status": "stopped",
            "uuid": str(server.pk),
        }
    ]


def test_drives_of_a_tag_are_listed(api: APIClient, owner: User, drive: Drive) -> None:
    tag = TagFactory(owner=owner, resources=[drive])
    DriveFactory(owner=owner)
    assert objects(api, f"tags/{tag.pk}/drives/") == [
        {
            "owner": related_json("user", owner.pk),
            "resource_uri": related_json("drives", drive.pk),
            "status": "unmounted",
            "uuid": str(drive.pk),
        }
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_things_of_a_tag_are_listed_in_full(
    api: APIClient, owner: User, drive: Drive, server: Server, kind: str
) -> None:
    tag = TagFactory(owner=owner, resources=[drive, server])
    FACTORIES[kind](owner=owner)
    thing = drive if kind == "drives" else server
    whole = api.get(f"{API}/{kind}/{thing.pk}/").json()
    assert objects(api, f"tags/{tag.pk}/{kind}/detail/") == [whole]
    assert objects(api, f"tags/{tag.pk}/{kind}/detail/?limit=0&fields=uuid") == [
        {"uuid": whole["uuid"]}
    ]


@pytest.mark.parametrize("kind", ["ips", "vlans"])
def test_no_address_and_no_network_has_a_tag(api: APIClient, tags: list[Tag], kind: str) -> None:
    assert objects(api, f"tags/{tags[0].pk}/{kind}/") == []


@pytest.mark.parametrize("kind", [*KINDS, "drives/detail", "servers/detail", "ips", "vlans"])
def test_things_of_a_foreign_tag_are_not_found(
    stranger_api: APIClient, owner: User, drive: Drive, server: Server, kind: str
) -> None:
    tag = TagFactory(owner=owner, resources=[drive, server])
    response = stranger_api.get(f"{API}/tags/{tag.pk}/{kind}/")
    assert response.status_code == 404
    assert faults_of(response) == [("notexist", None)]


@pytest.mark.parametrize(
    "address",
    ["drives/detail/", "servers/detail/", "tags/{}/servers/", "tags/{}/servers/detail/"],
)
def test_tags_cost_as_many_queries_for_two_as_for_twenty(
    api: APIClient, owner: User, tags: list[Tag], address: str
) -> None:
    address = f"{API}/{address.format(tags[0].pk)}"

    def add(count: int) -> None:
        for kind in KINDS:
            for thing in FACTORIES[kind].create_batch(count, owner=owner):
                for tag in tags:
                    TagLink.objects.create(tag=tag, kind=kind, object_uuid=thing.pk)

    add(2)
    few = queries_of(lambda: api.get(address))
    add(18)
    assert_as_many(few, queries_of(lambda: api.get(address)))
