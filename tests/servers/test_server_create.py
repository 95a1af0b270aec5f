from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from servers.models import Nic, Server
from tests.conftest import Unchanged
from tests.factories import MIB, DriveFactory
from tests.wire import API, faults_of, related_json, server_json

SERVERS = f"{API}/servers/"
MINIMAL = {"cpu": 1000, "mem": 512 * MIB, "name": "new", "vnc_password": "testserver"}


def full_definition(disk: Drive, cd: Drive) -> dict[str, Any]:
    return {
        **MINIMAL,
        "context": False,
        "cpu": 2000,
        "cpu_model": "kvm64",
        "cpu_type": "intel",
        "cpus_instead_of_cores": True,
        "drives": [
            {"boot_order": 1, "dev_channel": "0:0", "device": "virtio", "drive": str(disk.pk)},
            {"dev_channel": "0:0", "device": "ide", "drive": {"uuid": str(cd.pk)}},
        ],
        "enable_numa": True,
        "hv_relaxed": True,
        "hv_tsc": True,
        "hypervisor": "kvm",
        "meta": {"description": "A full server"},
        "nics": [{"ip_v4_conf": {"conf": "dhcp"}}],
        "requirements": ["ssd"],
        "smp": 2,
        "tags": [],
    }


@pytest.fixture
def disk(owner: User) -> Drive:
    return DriveFactory(owner=owner)


@pytest.fixture
def iso(owner: User) -> Drive:
    return DriveFactory(owner=owner, media="cdrom")


@pytest.mark.parametrize("body", [{"objects": [MINIMAL]}, [MINIMAL], MINIMAL])
def test_server_from_the_least_is_whole(api: APIClient, body: Any) -> None:
    response = api.post(SERVERS, body)
    assert response.status_code == 201
    server = Server.objects.get()
    assert response["Location"] == f"/api/2.0/servers/{server.pk}/"
    expected = server_json(server, cpu=1000, mem=512 * MIB, meta={}, name="new", smp=1)
    assert response.json() == {"objects": [expected | {"vnc_password": "testserver"}]}


def test_server_is_as_defined(api: APIClient, disk: Drive, iso: Drive) -> None:
    definition = full_definition(disk, iso)
    response = api.post(SERVERS, {"objects": [definition]})
    assert response.status_code == 201
    server, nic = Server.objects.get(), Nic.objects.get()
    assert nic.mac.startswith("22:")
    drives = [
        {
            "boot_order": boot_order,
            "dev_channel": "0:0",
            "device": device,
            "drive": related_json("drives", drive.pk),
            "runtime": None,
        }
        for device, drive, boot_order in (("ide", iso, None), ("virtio", disk, 1))
    ]
    nics = server_json(server)["nics"]
    assert nics[0]["ip_v4_conf"] == {"conf": "dhcp", "ip": None}
    expected = server_json(server, **definition | {"drives": drives, "nics": nics})
    assert response.json() == {"objects": [expected]}
    assert api.get(f"{SERVERS}{server.pk}/").json() == expected


def test_drives_of_the_new_server_are_mounted(api: APIClient, disk: Drive, iso: Drive) -> None:
    api.post(SERVERS, full_definition(disk, iso))
    assert set(Drive.objects.values_list("status", flat=True)) == {"mounted"}


def test_bulk_makes_all(api: APIClient, owner: User) -> None:
    body = {"objects": [MINIMAL | {"name": f"server-{i}"} for i in range(5)]}
    response = api.post(SERVERS, body)
    assert response.status_code == 201
    assert "Location" not in response
    made = [server_json(server) for server in Server.objects.owned_by(owner)]
    assert response.json() == {"objects": made}
    assert [one["name"] for one in made] == [f"server-{i}" for i in range(5)]


@pytest.mark.parametrize(
    ("cpu", "smp"), [(250, 1), (1000, 1), (3000, 1), (3001, 2), (6000, 2), (96_000, 32)]
)
def test_server_gets_as_few_cores_as_carry_its_speed(api: APIClient, cpu: int, smp: int) -> None:
    body = api.post(SERVERS, MINIMAL | {"cpu": cpu}).json()["objects"][0]
    assert (body["cpu"], body["smp"]) == (cpu, smp)


@pytest.mark.parametrize(
    "machine",
    [
        {"cpu": 250, "smp": 1, "mem": 256 * MIB},
        {"cpu": 96_000, "smp": 32, "mem": 512 * 1024 * MIB},
        {"cpu": 500, "smp": 2, "mem": 512 * MIB},
    ],
)
def test_limits_themselves_are_allowed(api: APIClient, machine: dict[str, int]) -> None:
    body = api.post(SERVERS, MINIMAL | machine).json()["objects"][0]
    assert {name: body[name] for name in machine} == machine


def test_numbers_may_be_strings_of_digits(api: APIClient) -> None:
    body = api.post(SERVERS, MINIMAL | {"cpu": "2000", "mem": str(512 * MIB)}).json()
    assert (body["objects"][0]["cpu"], body["objects"][0]["mem"]) == (2000, 512 * MIB)


@pytest.mark.parametrize("status", ["unmounted", "creating", "cloning_dst"])
def test_drive_may_come_along_before_it_is_ready(
    api: APIClient, disk: Drive, iso: Drive, status: str
) -> None:
    Drive.objects.update(status=status)
    assert api.post(SERVERS, full_definition(disk, iso)).status_code == 201


@pytest.mark.parametrize("sharing", [{"media": "cdrom"}, {"allow_multimount": True}])
def test_drive_that_may_be_shared_is_on_two_servers(
    api: APIClient, owner: User, sharing: dict[str, Any]
) -> None:
    drive = DriveFactory(owner=owner, **sharing)
    place = {"dev_channel": "0:0", "device": "ide", "drive": str(drive.pk)}
    made = api.post(SERVERS, [MINIMAL | {"drives": [place]}] * 2)
    assert made.status_code == 201
    shown = api.get(f"{API}/drives/{drive.pk}/").json()
    assert shown["status"] == "mounted"
    servers = {one["uuid"] for one in made.json()["objects"]}
    assert {one["uuid"] for one in shown["mounted_on"]} == servers


@pytest.mark.parametrize(
    ("device", "channel", "shown"),
    [
        ("ide", "1:1", "1:1"),
        ("virtio", "0:5", "0:5"),
        ("virtio", "170:5", "170:5"),
        ("scsi", "0:05", "0:5"),
    ],
)
def test_outermost_channels_hold_a_drive(
    api: APIClient, disk: Drive, device: str, channel: str, shown: str
) -> None:
    place = {"dev_channel": channel, "device": device, "drive": str(disk.pk)}
    body = api.post(SERVERS, MINIMAL | {"drives": [place]}).json()["objects"][0]
    assert body["drives"][0]["dev_channel"] == shown


def test_same_channel_of_two_devices_is_two_places(api: APIClient, disk: Drive, iso: Drive) -> None:
    drives = [
        {"dev_channel": "0:0", "device": "virtio", "drive": str(disk.pk)},
        {"dev_channel": "0:0", "device": "scsi", "drive": str(iso.pk)},
    ]
    assert api.post(SERVERS, MINIMAL | {"drives": drives}).status_code == 201


def test_read_only_keys_are_ignored(api: APIClient, stranger: User) -> None:
    claims = {"owner": related_json("user", stranger.pk), "status": "running", "uuid": "x"}
    body = api.post(SERVERS, MINIMAL | claims | {"runtime": {}, "jobs": [1]}).json()["objects"][0]
    server = Server.objects.get()
    assert body == server_json(server)
    assert server.owner != stranger


def test_servers_of_a_stranger_are_his_own(stranger_api: APIClient, stranger: User) -> None:
    stranger_api.post(SERVERS, MINIMAL)
    assert Server.objects.get().owner == stranger


def test_anonymous_makes_nothing(anonymous_api: APIClient, unchanged: Unchanged) -> None:
    with unchanged():
        response = anonymous_api.post(SERVERS, MINIMAL)
    assert response.status_code == 401
    assert faults_of(response) == [("permission", None)]
