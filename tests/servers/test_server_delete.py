from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from servers.models import Mount, Nic, Server
from tests.conftest import Unchanged
from tests.factories import MountFactory, ServerFactory
from tests.wire import API, drive_json, faults_of

SERVERS = f"{API}/servers/"


def path(server: Server, recurse: str = "") -> str:
    return f"{SERVERS}{server.pk}/" + (f"?recurse={recurse}" if recurse else "")


def listing(*uuids: UUID) -> dict[str, Any]:
    return {"objects": [{"uuid": str(uuid)} for uuid in uuids]}


def names_left() -> set[str]:
    return set(Drive.objects.values_list("name", flat=True))


def test_server_goes_and_its_drives_stay(
    api: APIClient, full_server: Server, disks: list[Drive], run_jobs: Callable[[], None]
) -> None:
    response = api.delete(path(full_server))
    assert (response.status_code, response.content) == (204, b"")
    assert api.get(path(full_server)).status_code == 404
    assert not Mount.objects.exists()
    assert not Nic.objects.exists()
    run_jobs()
    for disk in disks:
        shown = api.get(f"{API}/drives/{disk.pk}/").json()
        assert shown == drive_json(disk, status="unmounted")


@pytest.mark.parametrize(
    ("recurse", "left"),
    [
        ("all_drives", set()),
        ("disks", {"cd"}),
        ("cdroms", {"large", "small"}),
        ("", {"large", "small", "cd"}),
    ],
)
@pytest.mark.parametrize("bulk", [False, True])
def test_drives_of_the_kind_go_with_the_server(
    api: APIClient,
    full_server: Server,
    run_jobs: Callable[[], None],
    storage: Path,
    recurse: str,
    left: set[str],
    bulk: bool,
) -> None:
    if bulk:
        response = api.delete(f"{SERVERS}?recurse={recurse}", listing(full_server.pk))
    else:
        response = api.delete(path(full_server, recurse))
    assert (response.status_code, response.content) == (204, b"")
    run_jobs()
    assert names_left() == left
    assert set(Drive.objects.values_list("status", flat=True)) <= {"unmounted"}
    images = {image.stem for image in storage.rglob("*.raw")}
    assert images == {str(uuid) for uuid in Drive.objects.values_list("pk", flat=True)}


@pytest.mark.parametrize("recurse", ["all_drives", "cdroms"])
def test_cd_of_another_server_stays_mounted(
    api: APIClient,
    full_server: Server,
    server: Server,
    cd: Drive,
    run_jobs: Callable[[], None],
    recurse: str,
) -> None:
    MountFactory(server=server, drive=cd)
    api.delete(path(full_server, recurse))
    run_jobs()
    shown = api.get(f"{API}/drives/{cd.pk}/").json()
    assert shown["status"] == "mounted"
    assert [one["uuid"] for one in shown["mounted_on"]] == [str(server.pk)]


def test_shared_cd_goes_with_the_last_of_its_servers(
    api: APIClient, full_server: Server, server: Server, cd: Drive, run_jobs: Callable[[], None]
) -> None:
    MountFactory(server=server, drive=cd)
    api.delete(f"{SERVERS}?recurse=all_drives", listing(full_server.pk, server.pk))
    run_jobs()
    assert names_left() == set()


def test_drive_that_was_not_mounted_stays(
    api: APIClient, full_server: Server, server: Server, run_jobs: Callable[[], None]
) -> None:
    MountFactory(server=server, drive__name="other")
    api.delete(path(full_server, "all_drives"))
    run_jobs()
    assert names_left() == {"other"}


def test_broken_drive_goes_with_its_server(
    api: APIClient, full_server: Server, run_jobs: Callable[[], None]
) -> None:
    Drive.objects.update(status="unavailable")
    assert api.delete(path(full_server, "all_drives")).status_code == 204
    run_jobs()
    assert names_left() == set()


def test_bulk_deletes_all(api: APIClient, owner: User) -> None:
    first, second, kept = ServerFactory.create_batch(3, owner=owner)
    response = api.delete(SERVERS, listing(first.pk, second.pk, first.pk))
    assert (response.status_code, response.content) == (204, b"")
    assert Server.objects.get() == kept


def test_deleted_server_vanishes_from_its_jobs(
    api: APIClient, full_server: Server, run_jobs: Callable[[], None]
) -> None:
    clone = api.post(f"{path(full_server)}action/?do=clone", {}).json()
    job = clone["jobs"][0]["resource_uri"]
    assert api.get(job).json()["resources"] == [path(full_server), clone["resource_uri"]]
    api.delete(path(full_server))
    assert api.get(job).json()["resources"] == [clone["resource_uri"]]
    run_jobs()
    assert api.get(job).json()["state"] == "success"
    api.delete(clone["resource_uri"])
    assert api.get(job).json()["resources"] == []


@pytest.mark.parametrize("status", ["starting", "running", "stopping"])
@pytest.mark.parametrize("recurse", ["", "all_drives"])
@pytest.mark.parametrize("bulk", [False, True])
def test_server_at_work_stays(
    api: APIClient,
    full_server: Server,
    server: Server,
    unchanged: Unchanged,
    status: str,
    recurse: str,
    bulk: bool,
) -> None:
    Server.objects.filter(pk=full_server.pk).update(status=status)
    with unchanged():
        if bulk:
            body = listing(server.pk, full_server.pk)
            response = api.delete(f"{SERVERS}?recurse={recurse}", body)
        else:
            response = api.delete(path(full_server, recurse))
    assert response.status_code == 403
    assert faults_of(response) == [("permission", "status")]


def test_unavailable_server_goes(api: APIClient, server: Server) -> None:
    Server.objects.update(status="unavailable")
    assert api.delete(path(server)).status_code == 204
    assert not Server.objects.exists()


@pytest.mark.parametrize("status", ["creating", "cloning_src", "cloning_dst", "resizing"])
def test_server_whose_drive_is_busy_does_not_go_with_it(
    api: APIClient, full_server: Server, disks: list[Drive], unchanged: Unchanged, status: str
) -> None:
    Drive.objects.filter(pk=disks[1].pk).update(status=status)
    with unchanged():
        response = api.delete(path(full_server, "disks"))
    assert response.status_code == 503
    assert faults_of(response) == [("concurrency", "status")]


@pytest.mark.parametrize("recurse", ["everything", "disk", "ALL_DRIVES", "disks,cdroms", "%00"])
@pytest.mark.parametrize("bulk", [False, True])
def test_recurse_takes_only_kinds_of_drives(
    api: APIClient, full_server: Server, unchanged: Unchanged, recurse: str, bulk: bool
) -> None:
    with unchanged():
        if bulk:
            response = api.delete(f"{SERVERS}?recurse={recurse}", listing(full_server.pk))
        else:
            response = api.delete(path(full_server, recurse))
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "recurse")]


@pytest.mark.parametrize("bulk", [False, True])
def test_strangers_delete_nothing(
    stranger_api: APIClient,
    anonymous_api: APIClient,
    full_server: Server,
    unchanged: Unchanged,
    bulk: bool,
) -> None:
    with unchanged():
        for client, status in ((stranger_api, 404), (anonymous_api, 401)):
            whole = f"{SERVERS}?recurse=all_drives"
            response = (
                client.delete(whole, listing(full_server.pk))
                if bulk
                else client.delete(path(full_server, "all_drives"))
            )
            assert response.status_code == status


@pytest.mark.parametrize("uuid", [uuid4(), "not-a-uuid"])
def test_server_that_never_was_is_not_there(api: APIClient, uuid: Any) -> None:
    response = api.delete(f"{SERVERS}{uuid}/")
    assert response.status_code == 404
    assert faults_of(response)[0][0] == "notexist"


@pytest.mark.parametrize("foreign", [False, True])
def test_bulk_with_one_that_is_not_there_deletes_none(
    api: APIClient, server: Server, stranger: User, unchanged: Unchanged, foreign: bool
) -> None:
    other = ServerFactory(owner=stranger).pk if foreign else uuid4()
    with unchanged():
        response = api.delete(SERVERS, listing(server.pk, other))
    assert response.status_code == 404
    assert faults_of(response) == [("notexist", "uuid")]


@pytest.mark.parametrize("body", [[], {"objects": []}, "x", {"objects": "x"}])
def test_bulk_without_servers_deletes_none(
    api: APIClient, server: Server, unchanged: Unchanged, body: Any
) -> None:
    with unchanged():
        response = api.delete(SERVERS, body)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "objects")]


@pytest.mark.parametrize("uuid", ["x", None, 7, True, [], "a\x00"], ids=ascii)
def test_bulk_refuses_what_is_no_uuid(
    api: APIClient, server: Server, unchanged: Unchanged, uuid: Any
) -> None:
    with unchanged():
        response = api.delete(SERVERS, {"objects": [{"uuid": uuid}]})
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "uuid")]
