"""Drives, as the servers that have them allow."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from drives.models import Drive
from servers.models import Mount, Server
from tests.conftest import Unchanged
from tests.factories import GIB, MountFactory
from tests.wire import API, drive_json, faults_of, related_json, runtime_json

AT_WORK = ["starting", "running", "stopping"]


def path(drive: Drive) -> str:
    return f"{API}/drives/{drive.pk}/"


@pytest.fixture
def mount(server: Server) -> Mount:
    return MountFactory(server=server, drive__image=b"data")


@pytest.fixture
def disk(mount: Mount) -> Drive:
    return mount.drive


@pytest.mark.parametrize("address", ["", "detail/"])
@pytest.mark.parametrize("status", ["stopped", "running"])
def test_drive_shows_its_server(
    api: APIClient, server: Server, disk: Drive, address: str, status: str
) -> None:
    Server.objects.update(status=status)
    shown = api.get(f"{API}/drives/detail/").json()["objects"][0] if address else None
    runtime = runtime_json(disk.storage_type, snapshotable=status == "stopped")
    mounted_on = [related_json("servers", server.pk)]
    expected = drive_json(disk, mounted_on=mounted_on, status="mounted", runtime=runtime)
    assert (shown or api.get(path(disk)).json()) == expected


@pytest.mark.parametrize("status", AT_WORK)
@pytest.mark.parametrize(
    ("action", "body"), [("clone", {}), ("resize", {"size": 2 * GIB}), ("delete", None)]
)
def test_drive_of_a_server_at_work_is_left_alone(
    api: APIClient, disk: Drive, unchanged: Unchanged, status: str, action: str, body: Any
) -> None:
    Server.objects.update(status=status)
    with unchanged():
        if action == "delete":
            response = api.delete(path(disk))
        else:
            response = api.post(f"{path(disk)}action/?do={action}", body)
    assert response.status_code == 403
    assert faults_of(response) == [("permission", "status")]


@pytest.mark.parametrize("status", AT_WORK)
def test_drives_of_a_server_at_work_are_not_deleted_in_bulk(
    api: APIClient, disk: Drive, unchanged: Unchanged, status: str
) -> None:
    Server.objects.update(status=status)
    with unchanged():
        response = api.delete(f"{API}/drives/", {"objects": [{"uuid": str(disk.pk)}]})
    assert response.status_code == 403
    assert faults_of(response) == [("permission", "status")]


@pytest.mark.parametrize("status", AT_WORK)
def test_drive_of_a_server_at_work_changes_only_what_no_guest_sees(
    api: APIClient, server: Server, disk: Drive, status: str
) -> None:
    Server.objects.update(status=status)
    wishes = {
        "affinities": ["ssd"],
        "allow_multimount": True,
        "media": "cdrom",
        "meta": {"new": "value"},
        "name": "new",
        "size": 2 * GIB,
        "storage_type": "nvme",
    }
    response = api.put(path(disk), wishes)
    assert response.status_code == 200
    assert response.json() == drive_json(
        disk,
        allow_multimount=True,
        meta={"new": "value"},
        mounted_on=[related_json("servers", server.pk)],
        name="new",
        runtime=runtime_json(disk.storage_type, snapshotable=False),
    )
    assert api.get(path(disk)).json() == response.json()


def test_one_server_at_work_is_enough_to_protect_a_shared_drive(
    api: APIClient, server: Server, full_server: Server, cd: Drive, unchanged: Unchanged
) -> None:
    MountFactory(server=server, drive=cd)
    Server.objects.filter(pk=full_server.pk).update(status="running")
    with unchanged():
        assert api.delete(path(cd)).status_code == 403


def test_deleted_drive_leaves_its_stopped_server(
    api: APIClient, server: Server, disk: Drive, run_jobs: Callable[[], None]
) -> None:
    assert api.delete(path(disk)).status_code == 204
    assert api.get(f"{API}/servers/{server.pk}/").json()["drives"] == []
    assert api.get(path(disk)).json()["status"] == "deleting"
    run_jobs()
    assert api.get(path(disk)).status_code == 404
    assert api.get(f"{API}/servers/{server.pk}/").status_code == 200


def test_deleted_drive_leaves_all_its_servers(
    api: APIClient, server: Server, full_server: Server, cd: Drive, disks: list[Drive]
) -> None:
    MountFactory(server=server, drive=cd)
    api.delete(path(cd))
    left = set(Mount.objects.values_list("drive_id", flat=True))
    assert left == {disk.pk for disk in disks}


def test_drive_grows_on_a_stopped_server_and_stays_mounted(
    api: APIClient, disk: Drive, run_jobs: Callable[[], None]
) -> None:
    response = api.post(f"{path(disk)}action/?do=resize", {"size": 2 * GIB})
    assert response.status_code == 202
    assert response.json()["objects"][0]["status"] == "resizing"
    run_jobs()
    shown = api.get(path(disk)).json()
    assert (shown["status"], shown["size"]) == ("mounted", 2 * GIB)


def test_drive_of_a_stopped_server_is_cloned_and_stays_mounted(
    api: APIClient, disk: Drive, run_jobs: Callable[[], None]
) -> None:
    copy = api.post(f"{path(disk)}action/?do=clone", {}).json()["objects"][0]
    assert (copy["status"], copy["mounted_on"]) == ("cloning_dst", [])
    assert api.get(path(disk)).json()["status"] == "cloning_src"
    run_jobs()
    assert api.get(path(disk)).json()["status"] == "mounted"
    assert api.get(copy["resource_uri"]).json()["status"] == "unmounted"


def test_drive_that_was_detached_meanwhile_ends_unmounted(
    api: APIClient, server: Server, disk: Drive, run_jobs: Callable[[], None]
) -> None:
    api.post(f"{path(disk)}action/?do=clone", {})
    definition = api.get(f"{API}/servers/{server.pk}/").json()
    api.put(f"{API}/servers/{server.pk}/", definition | {"drives": []})
    assert api.get(path(disk)).json()["status"] == "cloning_src"
    run_jobs()
    assert api.get(path(disk)).json()["status"] == "unmounted"


def test_drive_that_was_attached_while_it_was_made_ends_mounted(
    api: APIClient, server: Server, run_jobs: Callable[[], None]
) -> None:
    new = {"name": "new", "size": GIB, "media": "disk"}
    drive = api.post(f"{API}/drives/", new).json()["objects"][0]
    definition = api.get(f"{API}/servers/{server.pk}/").json()
    place = {"drive": drive["uuid"], "device": "ide", "dev_channel": "0:0"}
    assert (
        api.put(f"{API}/servers/{server.pk}/", definition | {"drives": [place]}).status_code == 200
    )
    assert api.get(drive["resource_uri"]).json()["status"] == "creating"
    run_jobs()
    assert api.get(drive["resource_uri"]).json()["status"] == "mounted"


def test_mounted_drive_is_downloaded_while_its_server_is_stopped(
    api: APIClient, disk: Drive
) -> None:
    response = api.get(f"{path(disk)}download/", headers={"Range": "bytes=0-3"})
    assert response.getvalue() == b"data"
