from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from servers.models import Server
from tests.wire import API, faults_of, server_json, time_json

DRIVE_TRAFFIC = {
    "bytes_read": 0,
    "bytes_written": 0,
    "count_flush": 0,
    "count_read": 0,
    "count_written": 0,
    "total_time_ns_flush": 0,
    "total_time_ns_read": 0,
    "total_time_ns_write": 0,
}
NIC_TRAFFIC = {"bytes_recv": 0, "bytes_sent": 0, "packets_recv": 0, "packets_sent": 0}


def path(server: Server) -> str:
    return f"{API}/servers/{server.pk}/"


def test_owner_sees_the_whole_server(api: APIClient, full_server: Server) -> None:
    response = api.get(path(full_server))
    assert response.status_code == 200
    assert response.json() == server_json(full_server)


def test_drives_come_by_device_and_channel(api: APIClient, full_server: Server) -> None:
    places = [
        (one["device"], one["dev_channel"]) for one in api.get(path(full_server)).json()["drives"]
    ]
    assert places == [("ide", "0:0"), ("virtio", "0:0"), ("virtio", "0:1")]


def test_running_server_shows_what_it_does(
    api: APIClient, full_server: Server, run_jobs: Callable[[], None]
) -> None:
    stopped = api.get(path(full_server)).json()
    api.post(f"{path(full_server)}action/?do=start")
    run_jobs()
    running = api.get(path(full_server)).json()
    full_server.refresh_from_db()
    cards = [one["runtime"] for one in running["nics"]]
    macs = [one["mac"] for one in stopped["nics"]]
    runtime = {
        "active_since": time_json(full_server.active_since),
        "nics": [{**card, "mac": mac} for card, mac in zip(cards, macs, strict=True)],
    }
    assert running == stopped | {
        "drives": [one | {"runtime": {"io": DRIVE_TRAFFIC}} for one in stopped["drives"]],
        "nics": [one | {"runtime": card} for one, card in zip(stopped["nics"], cards, strict=True)],
        "runtime": runtime,
        "status": "running",
    }


def test_running_cards_have_addresses(
    api: APIClient, full_server: Server, run_jobs: Callable[[], None]
) -> None:
    api.post(f"{path(full_server)}action/?do=start")
    run_jobs()
    dhcp, static = (one["runtime"] for one in api.get(path(full_server)).json()["nics"])
    address = dhcp["ip_v4"]["uuid"]
    assert address.startswith("198.1")
    for card, ip in ((dhcp, address), (static, "94.26.101.182")):
        assert card == {
            "interface_type": "public",
            "io": NIC_TRAFFIC,
            "ip_v4": {"resource_uri": f"/api/2.0/ips/{ip}/", "uuid": ip},
            "ip_v6": None,
        }


def test_card_without_an_address_shows_none(
    api: APIClient, full_server: Server, run_jobs: Callable[[], None]
) -> None:
    vlan = uuid4()
    full_server.nics.filter(position=0).update(conf="", vlan=vlan)
    full_server.nics.filter(position=1).update(conf="manual", ip=None)
    api.post(f"{path(full_server)}action/?do=start")
    run_jobs()
    private, manual = api.get(path(full_server)).json()["nics"]
    assert (private["ip_v4_conf"], private["vlan"]["uuid"]) == (None, str(vlan))
    assert private["runtime"]["interface_type"] == "private"
    assert private["runtime"]["ip_v4"] is None
    assert manual["runtime"]["interface_type"] == "public"
    assert manual["runtime"]["ip_v4"] is None


def test_runtime_has_an_address_of_its_own(
    api: APIClient, stranger_api: APIClient, server: Server, run_jobs: Callable[[], None]
) -> None:
    assert api.get(f"{path(server)}runtime/").json() == {"active_since": None, "nics": []}
    api.post(f"{path(server)}action/?do=start")
    run_jobs()
    whole = api.get(path(server)).json()
    assert api.get(f"{path(server)}runtime/").json() == whole["runtime"]
    assert faults_of(stranger_api.get(f"{path(server)}runtime/")) == [("notexist", None)]


def test_stranger_sees_no_server(stranger_api: APIClient, server: Server) -> None:
    response = stranger_api.get(path(server))
    assert response.status_code == 404
    assert faults_of(response) == [("notexist", None)]


def test_anonymous_sees_no_server(anonymous_api: APIClient, server: Server) -> None:
    response = anonymous_api.get(path(server))
    assert response.status_code == 401
    assert faults_of(response) == [("permission", None)]


@pytest.mark.parametrize("uuid", [uuid4(), "not-a-uuid", "1"])
def test_server_that_never_was_is_not_there(api: APIClient, uuid: Any) -> None:
    response = api.get(f"{API}/servers/{uuid}/")
    assert response.status_code == 404
    assert faults_of(response) == [("notexist", None)]
