"""What no definition of a server may hold, whichever request carries it."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from servers.models import Server
from tests.conftest import Unchanged
from tests.factories import MIB, ServerFactory
from tests.servers.definitions import DEFINITION, UNKNOWN, place, send, with_drive, with_nic
from tests.wire import faults_of

NUMBERS = [0, -1, 2**70, 1.5, 1e9, "x", "", "-1", "1e9", "９", True, None, [], {}]
NAMES = ["", " ", "x" * 256, "a\x00b", 1, None, True, [], {}]
PASSWORDS = ["", "x" * 65, "a\x00b", 1, None, True, [], {}]
BOOLEANS = ["true", 1, 0, None, [], {}]
CHANNELS = ["", "0", "0:", ":0", "0:0:0", "-1:0", "0:x", "00000:0", "0 : 0", 0, None, True, []]
UUIDS = ["", "x", 1, None, True, [], {}, {"uuid": "x"}, {"uuid": None}, {"uuid": {"uuid": "x"}}]
ADDRESSES = ["", "x", "1.2.3", "1.2.3.256", "::1", 1, None, [], {}, {"uuid": "x"}, {"uuid": 7}]
BOOT_ORDERS = [-1, 1025, "x", 1.5, True, []]


FAULTS: list[tuple[dict[str, Any], str]] = [
    *[({"cpu": value}, "cpu") for value in [*NUMBERS, 249, 96_001]],
    *[({"mem": value}, "mem") for value in [*NUMBERS, 256 * MIB - 1, 512 * 1024 * MIB + 1]],
    *[({"smp": value}, "smp") for value in [*NUMBERS, 33, 2**31 - 1]],
    ({"cpu": 3001, "smp": 1}, "smp"),
    ({"cpu": 96_000, "smp": 31}, "smp"),
    ({"cpu": 499, "smp": 2}, "smp"),
    *[({"name": value}, "name") for value in NAMES],
    *[({"vnc_password": value}, "vnc_password") for value in PASSWORDS],
    *[
        ({name: value}, name)
        for name in ("context", "cpus_instead_of_cores", "enable_numa", "hv_relaxed", "hv_tsc")
        for value in BOOLEANS
    ],
    *[({"cpu_model": value}, "cpu_model") for value in ["", "kvm32", 1, [], {}]],
    *[({"cpu_type": value}, "cpu_type") for value in ["", "sparc_t4", "AMD", None, 1, [], {}]],
    *[({"hypervisor": value}, "hypervisor") for value in ["", "xen", None, 1, [], {}]],
    *[({"meta": value}, "meta") for value in ["", 1, None, []]],
    ({"meta": {"k": 1}}, "meta.k"),
    *[({"requirements": value}, "requirements") for value in ["x", 1, None, {}, ["x"] * 33]],
    ({"requirements": [1]}, "requirements.0"),
    ({"tags": ["no-such-tag"]}, "tags.0"),
    *[({"drives": value}, "drives") for value in ["x", 1, None, {}]],
    *[({"drives": [value]}, "drives.0") for value in ["x", 1, None, []]],
    *[(with_drive(dev_channel=value), "drives.0.dev_channel") for value in CHANNELS],
    *[(with_drive(device=value), "drives.0.device") for value in ["", "sata", 1, None, [], {}]],
    *[(with_drive(drive=value), "drives.0.drive") for value in UUIDS],
    *[(with_drive(boot_order=value), "drives.0.boot_order") for value in BOOT_ORDERS],
    *[
        (with_drive(device=device, dev_channel=channel), "drives.0.dev_channel")
        for device, channel in [
            ("ide", "2:0"),
            ("ide", "0:2"),
            ("virtio", "0:6"),
            ("virtio", "171:0"),
            ("scsi", "0:6"),
        ]
    ],
    (with_drive(drive=UNKNOWN), "drives.0.drive"),
    *[({"nics": value}, "nics") for value in ["x", 1, None, {}]],
    *[({"nics": [value]}, "nics.0") for value in ["x", 1, None, []]],
    ({"nics": [{"ip_v4_conf": {"conf": "dhcp"}}] * 33}, "nics"),
    ({"nics": [{}]}, "nics.0.ip_v4_conf"),
    *[(with_nic(model=value), "nics.0.model") for value in ["", "rtl8139", 1, None, [], {}]],
    *[(with_nic(boot_order=value), "nics.0.boot_order") for value in BOOT_ORDERS],
    *[
        (with_nic(mac=value), "nics.0.mac")
        for value in ["x", "22:00:00:00:00:00", "22:00:00:00:00:00:00", 1, True, [], {}]
    ],
    (with_nic(vlan=UNKNOWN), "nics.0.ip_v4_conf"),
    *[({"nics": [{"vlan": value}]}, "nics.0.vlan") for value in ["x", 1, [], {}, {"uuid": "x"}]],
    *[({"nics": [{"ip_v4_conf": value}]}, "nics.0.ip_v4_conf") for value in ["x", 1, []]],
    *[
        ({"nics": [{"ip_v4_conf": {"conf": value}}]}, "nics.0.ip_v4_conf.conf")
        for value in ["", "auto", 1, None, [], {}]
    ],
    ({"nics": [{"ip_v4_conf": {"conf": "static"}}]}, "nics.0.ip_v4_conf.ip"),
    *[
        ({"nics": [{"ip_v4_conf": {"conf": "static", "ip": value}}]}, "nics.0.ip_v4_conf.ip")
        for value in ADDRESSES
    ],
]


def shown(value: Any) -> str:
    return ascii(value)[:60]


@pytest.mark.parametrize(("bad", "point"), FAULTS, ids=shown)
def test_create_refuses(
    api: APIClient, unchanged: Unchanged, bad: dict[str, Any], point: str
) -> None:
    with unchanged():
        response = send(api, "POST", "servers/", DEFINITION | bad)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", point)]


@pytest.mark.parametrize(("bad", "point"), FAULTS, ids=shown)
def test_update_refuses(
    api: APIClient, full_server: Server, unchanged: Unchanged, bad: dict[str, Any], point: str
) -> None:
    with unchanged():
        response = send(api, "PUT", f"servers/{full_server.pk}/", DEFINITION | bad)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", point)]


@pytest.mark.parametrize("missing", ["cpu", "mem", "name", "vnc_password"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_whole_definition_is_needed(
    api: APIClient, server: Server, unchanged: Unchanged, missing: str, method: str
) -> None:
    body = {name: value for name, value in DEFINITION.items() if name != missing}
    path = "servers/" if method == "POST" else f"servers/{server.pk}/"
    with unchanged():
        response = send(api, method, path, body)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", missing)]


@pytest.mark.parametrize("missing", ["dev_channel", "device", "drive"])
def test_drive_needs_its_whole_place(
    api: APIClient, disk: Drive, unchanged: Unchanged, missing: str
) -> None:
    given = place(disk)
    given.pop(missing)
    with unchanged():
        response = send(api, "POST", "servers/", DEFINITION | {"drives": [given]})
    assert response.status_code == 400
    assert faults_of(response) == [("validation", f"drives.0.{missing}")]


@pytest.mark.parametrize("body", [[], "x", 1, None, [DEFINITION]])
@pytest.mark.parametrize("address", ["", "action/?do=clone"])
def test_request_for_one_server_takes_one_object(
    api: APIClient, server: Server, unchanged: Unchanged, body: Any, address: str
) -> None:
    with unchanged():
        response = send(api, "POST" if address else "PUT", f"servers/{server.pk}/{address}", body)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", None)]


@pytest.mark.parametrize("body", [[], {"objects": []}, "x", 1, None, {"objects": "x"}])
def test_create_needs_an_object(api: APIClient, unchanged: Unchanged, body: Any) -> None:
    with unchanged():
        response = send(api, "POST", "servers/", body)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "objects")]


@pytest.mark.parametrize(
    ("bad", "point"),
    [
        ({"cpu": 1}, "cpu"),
        ({"name": ""}, "name"),
        ({"drives": [{}, {}]}, None),
        (with_drive(drive=UNKNOWN), "drives.0.drive"),
        (with_drive(device="ide", dev_channel="2:0"), "drives.0.dev_channel"),
        (with_nic(mac="22:00:00:00:00:00"), "nics.0.mac"),
    ],
    ids=shown,
)
def test_one_bad_object_of_several_lets_none_be_made(
    api: APIClient, unchanged: Unchanged, bad: dict[str, Any], point: str | None
) -> None:
    with unchanged():
        response = send(api, "POST", "servers/", [DEFINITION, DEFINITION | bad, DEFINITION])
    assert response.status_code == 400
    points = [fault[1] for fault in faults_of(response)]
    assert all(one and one.startswith("objects.1.") for one in points)
    if point:
        assert points == [f"objects.1.{point}"]


def test_all_faults_are_told(api: APIClient, unchanged: Unchanged) -> None:
    bad = {"cpu": "x", "nics": [{"ip_v4_conf": {"conf": "dhcp"}}, {"vlan": "x"}]}
    with unchanged():
        response = send(api, "POST", "servers/", bad)
    assert set(faults_of(response)) == {
        ("validation", point) for point in ("cpu", "mem", "name", "nics.1.vlan", "vnc_password")
    }


def test_smaller_speed_must_still_fit_the_cores(
    api: APIClient, owner: User, unchanged: Unchanged
) -> None:
    server = ServerFactory(owner=owner, cpu=8000, smp=8)
    with unchanged():
        response = send(api, "PUT", f"servers/{server.pk}/", DEFINITION | {"cpu": 1999})
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "smp")]


@pytest.mark.parametrize("status", ["starting", "running", "stopping"])
def test_form_is_checked_though_a_running_server_ignores_it(
    api: APIClient, server: Server, unchanged: Unchanged, status: str
) -> None:
    Server.objects.update(status=status)
    with unchanged():
        response = send(api, "PUT", f"servers/{server.pk}/", DEFINITION | {"cpu": "x"})
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "cpu")]


@pytest.mark.parametrize(
    ("bad", "point"),
    [
        *[({"name": value}, "name") for value in NAMES if value is not None],
        *[
            ({"random_vnc_password": value}, "random_vnc_password")
            for value in BOOLEANS
            if value is not None
        ],
    ],
    ids=shown,
)
def test_clone_refuses(
    api: APIClient, full_server: Server, unchanged: Unchanged, bad: dict[str, Any], point: str
) -> None:
    with unchanged():
        response = send(api, "POST", f"servers/{full_server.pk}/action/?do=clone", bad)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", point)]


@pytest.mark.parametrize("avoid", ["x", "1", "%00", "not,uuids", "-"])
@pytest.mark.parametrize("action", ["clone", "start"])
def test_avoid_takes_uuids_only(
    api: APIClient, full_server: Server, unchanged: Unchanged, avoid: str, action: str
) -> None:
    with unchanged():
        path = f"servers/{full_server.pk}/action/?do={action}&avoid={avoid}"
        response = send(api, "POST", path, {})
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "avoid")]
