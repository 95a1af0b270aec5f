"""Drives and network cards that a server may not have, though their form is right."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from servers.models import Server
from tests.conftest import Unchanged
from tests.factories import DriveFactory, MountFactory
from tests.servers.definitions import DEFINITION, UNKNOWN, place, send, with_nic
from tests.wire import faults_of


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_two_drives_do_not_share_a_channel(
    api: APIClient, owner: User, server: Server, disk: Drive, unchanged: Unchanged, method: str
) -> None:
    other = DriveFactory(owner=owner)
    drives = [place(disk), place(other, dev_channel="00:0")]
    path = "servers/" if method == "POST" else f"servers/{server.pk}/"
    with unchanged():
        response = send(api, method, path, DEFINITION | {"drives": drives})
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "drives.1.dev_channel")]


def test_drive_is_not_mounted_twice_on_a_server(
    api: APIClient, disk: Drive, unchanged: Unchanged
) -> None:
    drives = [place(disk), place(disk, dev_channel="0:1")]
    with unchanged():
        response = send(api, "POST", "servers/", DEFINITION | {"drives": drives})
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "drives.1.drive")]


def test_server_has_a_thousand_drives_at_most(api: APIClient, unchanged: Unchanged) -> None:
    one = {"dev_channel": "0:0", "device": "virtio", "drive": UNKNOWN}
    with unchanged():
        response = send(api, "POST", "servers/", DEFINITION | {"drives": [one] * 1025})
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "drives")]


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("sharing", [{}, {"media": "cdrom"}, {"allow_multimount": True}])
def test_foreign_drive_is_not_there(
    api: APIClient,
    server: Server,
    stranger: User,
    unchanged: Unchanged,
    method: str,
    sharing: dict[str, Any],
) -> None:
    drives = [place(DriveFactory(owner=stranger, **sharing))]
    path = "servers/" if method == "POST" else f"servers/{server.pk}/"
    with unchanged():
        response = send(api, method, path, DEFINITION | {"drives": drives})
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "drives.0.drive")]


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_disk_of_another_server_is_refused(
    api: APIClient, server: Server, full_server: Server, unchanged: Unchanged, method: str
) -> None:
    mount = full_server.mounts.get(boot_order=1)
    drives = [place(mount.drive, dev_channel="0:1")]
    path = "servers/" if method == "POST" else f"servers/{server.pk}/"
    with unchanged():
        response = send(api, method, path, DEFINITION | {"drives": drives})
    assert response.status_code == 403
    assert faults_of(response) == [("permission", "drives.0.drive")]


def test_disk_that_two_new_servers_want_is_refused(
    api: APIClient, disk: Drive, unchanged: Unchanged
) -> None:
    with unchanged():
        response = send(api, "POST", "servers/", [DEFINITION | {"drives": [place(disk)]}] * 2)
    assert response.status_code == 403
    assert faults_of(response) == [("permission", "objects.1.drives.0.drive")]


@pytest.mark.parametrize(
    "status", ["cloning_src", "resizing", "uploading", "deleting", "unavailable"]
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("media", ["disk", "cdrom"])
def test_drive_in_a_passing_status_is_refused(
    api: APIClient,
    server: Server,
    disk: Drive,
    unchanged: Unchanged,
    status: str,
    method: str,
    media: str,
) -> None:
    Drive.objects.update(status=status, media=media)
    path = "servers/" if method == "POST" else f"servers/{server.pk}/"
    with unchanged():
        response = send(api, method, path, DEFINITION | {"drives": [place(disk)]})
    assert response.status_code == 403
    assert faults_of(response) == [("permission", "drives.0.drive")]


def test_refused_update_keeps_the_old_drives(
    api: APIClient, full_server: Server, owner: User, unchanged: Unchanged
) -> None:
    busy = DriveFactory(owner=owner, status="resizing")
    body = DEFINITION | {"name": "other", "drives": [place(busy)], "nics": []}
    with unchanged():
        assert send(api, "PUT", f"servers/{full_server.pk}/", body).status_code == 403


def test_card_of_another_server_is_not_taken(
    api: APIClient, server: Server, full_server: Server, unchanged: Unchanged
) -> None:
    mac = full_server.nics.first().mac
    with unchanged():
        response = send(api, "PUT", f"servers/{server.pk}/", DEFINITION | with_nic(mac=mac))
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "nics.0.mac")]


def test_card_is_named_once(api: APIClient, full_server: Server, unchanged: Unchanged) -> None:
    nics = with_nic(mac=full_server.nics.first().mac)["nics"] * 2
    with unchanged():
        response = send(api, "PUT", f"servers/{full_server.pk}/", DEFINITION | {"nics": nics})
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "nics.1.mac")]


def test_disk_whose_sharing_ended_is_refused(
    api: APIClient, server: Server, unchanged: Unchanged
) -> None:
    mount = MountFactory(server=server, drive__allow_multimount=True)
    Drive.objects.update(allow_multimount=False)
    with unchanged():
        response = send(api, "POST", "servers/", DEFINITION | {"drives": [place(mount.drive)]})
    assert response.status_code == 403
    assert faults_of(response) == [("permission", "drives.0.drive")]
