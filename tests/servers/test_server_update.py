from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from servers.models import Server
from tests.conftest import Unchanged
from tests.factories import GIB, MIB, DriveFactory
from tests.wire import API, assert_as_many, faults_of, queries_of, related_json, server_json

CHANGED = {"cpu": 2000, "mem": GIB, "name": "updated", "vnc_password": "updated_password"}
MINIMAL = {"cpu": 1000, "mem": 512 * MIB, "name": "full", "vnc_password": "secret"}


def path(server: Server) -> str:
    return f"{API}/servers/{server.pk}/"


def place(drive: Drive, channel: str = "0:0", **parts: Any) -> dict[str, Any]:
    return {"dev_channel": channel, "device": "virtio", "drive": str(drive.pk), **parts}


def test_server_changes(api: APIClient, server: Server) -> None:
    response = api.put(path(server), CHANGED)
    assert response.status_code == 200
    assert response.json() == server_json(server, **CHANGED)
    assert api.get(path(server)).json() == response.json()


def test_what_is_not_given_stays(api: APIClient, full_server: Server) -> None:
    response = api.put(path(full_server), CHANGED)
    assert response.status_code == 200
    assert response.json() == server_json(full_server, **CHANGED)


def test_drives_cost_as_many_queries_however_many(
    api: APIClient, owner: User, server: Server
) -> None:
    def give(count: int) -> list[str]:
        drives = DriveFactory.create_batch(count, owner=owner)
        mounts = [place(drive, f"0:{index}") for index, drive in enumerate(drives)]
        return queries_of(lambda: api.put(path(server), MINIMAL | {"drives": mounts}))

    give(1)
    assert_as_many(give(2), give(6))


def test_every_field_changes(api: APIClient, server: Server) -> None:
    wishes = CHANGED | {
        "context": False,
        "cpu_model": "kvm64",
        "cpu_type": "intel",
        "cpus_instead_of_cores": True,
        "enable_numa": True,
        "hv_relaxed": True,
        "hv_tsc": True,
        "meta": {"k": "v"},
        "requirements": ["x"],
        "smp": 4,
    }
    assert api.put(path(server), wishes).json() == server_json(server, **wishes)


def test_whole_definition_may_be_sent_back(api: APIClient, full_server: Server) -> None:
    got = api.get(path(full_server)).json()
    response = api.put(path(full_server), got)
    assert response.status_code == 200
    assert response.json() == got
    assert api.get(path(full_server)).json() == got


def test_meta_is_replaced_whole(api: APIClient, full_server: Server) -> None:
    for meta in ({"key1": "1", "key2": "2"}, {"key2": "new", "key3": ""}, {}):
        response = api.put(path(full_server), MINIMAL | {"meta": meta})
        assert response.json() == server_json(full_server, meta=meta)


def test_drive_is_attached(api: APIClient, owner: User, server: Server) -> None:
    drive = DriveFactory(owner=owner)
    body = api.put(path(server), CHANGED | {"drives": [place(drive, boot_order=1)]}).json()
    assert body["drives"] == [
        {
            "boot_order": 1,
            "dev_channel": "0:0",
            "device": "virtio",
            "drive": related_json("drives", drive.pk),
            "runtime": None,
        }
    ]
    shown = api.get(f"{API}/drives/{drive.pk}/").json()
    assert shown["status"] == "mounted"
    assert shown["mounted_on"] == [related_json("servers", server.pk)]


def test_drives_that_are_not_listed_are_detached(
    api: APIClient, full_server: Server, disks: list[Drive], cd: Drive
) -> None:
    large, small = disks
    body = api.put(path(full_server), MINIMAL | {"drives": [place(small, "0:1")]}).json()
    assert [one["drive"]["uuid"] for one in body["drives"]] == [str(small.pk)]
    statuses = dict(Drive.objects.values_list("pk", "status"))
    assert statuses == {large.pk: "unmounted", small.pk: "mounted", cd.pk: "unmounted"}


def test_drives_change_places(api: APIClient, full_server: Server, disks: list[Drive]) -> None:
    large, small = disks
    drives = [place(large, "0:1"), place(small, "0:0")]
    body = api.put(path(full_server), MINIMAL | {"drives": drives}).json()
    assert [one["drive"]["uuid"] for one in body["drives"]] == [str(small.pk), str(large.pk)]


def test_shared_drive_stays_mounted_where_another_server_has_it(
    api: APIClient, full_server: Server, server: Server, cd: Drive
) -> None:
    api.put(path(server), CHANGED | {"drives": [place(cd)]})
    api.put(path(full_server), MINIMAL | {"drives": []})
    shown = api.get(f"{API}/drives/{cd.pk}/").json()
    assert shown["status"] == "mounted"
    assert shown["mounted_on"] == [related_json("servers", server.pk)]


@pytest.mark.parametrize("status", ["cloning_src", "resizing", "unavailable"])
def test_server_keeps_a_drive_whatever_happens_to_it(
    api: APIClient, full_server: Server, disks: list[Drive], status: str
) -> None:
    Drive.objects.filter(pk=disks[0].pk).update(status=status)
    response = api.put(path(full_server), api.get(path(full_server)).json())
    assert response.status_code == 200
    assert Drive.objects.get(pk=disks[0].pk).status == status


@pytest.mark.parametrize("status", ["starting", "running", "stopping"])
def test_server_at_work_changes_only_name_and_meta(
    api: APIClient, owner: User, full_server: Server, status: str
) -> None:
    Server.objects.update(status=status)
    wishes = CHANGED | {
        "meta": {"new": "value"},
        "cpu_type": "intel",
        "smp": 2,
        "nics": [],
        "drives": [place(DriveFactory(owner=owner))],
    }
    response = api.put(path(full_server), wishes)
    assert response.status_code == 200
    assert response.json() == server_json(
        full_server, name="updated", meta={"new": "value"}, status=status
    )
    assert api.get(path(full_server)).json() == response.json()


def test_server_at_work_keeps_the_meta_that_is_not_given(
    api: APIClient, full_server: Server
) -> None:
    Server.objects.update(status="running")
    assert api.put(path(full_server), CHANGED).json()["meta"] == {"k": "v"}


def test_unavailable_server_changes(api: APIClient, server: Server) -> None:
    Server.objects.update(status="unavailable")
    assert api.put(path(server), CHANGED).json()["cpu"] == 2000


def test_stranger_changes_nothing(
    stranger_api: APIClient, server: Server, unchanged: Unchanged
) -> None:
    with unchanged():
        response = stranger_api.put(path(server), CHANGED)
    assert response.status_code == 404
    assert faults_of(response) == [("notexist", None)]


def test_anonymous_changes_nothing(
    anonymous_api: APIClient, server: Server, unchanged: Unchanged
) -> None:
    with unchanged():
        assert anonymous_api.put(path(server), CHANGED).status_code == 401


@pytest.mark.parametrize("uuid", [uuid4(), "not-a-uuid"])
def test_server_that_never_was_is_not_there(api: APIClient, uuid: Any) -> None:
    response = api.put(f"{API}/servers/{uuid}/", CHANGED)
    assert response.status_code == 404
    assert faults_of(response) == [("notexist", None)]
