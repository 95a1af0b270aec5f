import re
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from servers.models import Server
from tests.factories import MIB
from tests.wire import API, related_json

MAC = re.compile(r"22(:[0-9a-f]{2}){5}")
VLAN = str(uuid4())
DHCP = {"ip_v4_conf": {"conf": "dhcp"}}


def change(api: APIClient, server: Server, nics: list[Any]) -> list[dict[str, Any]]:
    """Give the server these cards and return what it then shows of them."""
    body = {"cpu": 1000, "mem": 512 * MIB, "name": "x", "vnc_password": "x", "nics": nics}
    response = api.put(f"{API}/servers/{server.pk}/", body)
    assert response.status_code == 200
    assert api.get(f"{API}/servers/{server.pk}/").json()["nics"] == response.json()["nics"]
    return response.json()["nics"]


def card(mac: str, **differing: Any) -> dict[str, Any]:
    return {
        "boot_order": None,
        "ip_v4_conf": {"conf": "dhcp", "ip": None},
        "ip_v6_conf": None,
        "mac": mac,
        "model": "virtio",
        "runtime": None,
        "vlan": None,
        **differing,
    }


STATIC = {"conf": "static", "ip": related_json("ips", "94.26.101.182")}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (DHCP, {}),
        (DHCP | {"model": "e1000", "boot_order": 3}, {"model": "e1000", "boot_order": 3}),
        (
            {"ip_v4_conf": {"conf": "dhcp", "ip": None}, "ip_v6_conf": None, "vlan": None},
            {},
        ),
        ({"ip_v4_conf": {"conf": "manual"}}, {"ip_v4_conf": {"conf": "manual", "ip": None}}),
        (
            {"ip_v4_conf": {"conf": "manual", "ip": "94.26.101.182"}},
            {"ip_v4_conf": {"conf": "manual", "ip": None}},
        ),
        ({"ip_v4_conf": {"conf": "static", "ip": "94.26.101.182"}}, {"ip_v4_conf": STATIC}),
        ({"ip_v4_conf": STATIC}, {"ip_v4_conf": STATIC}),
        ({"vlan": VLAN}, {"ip_v4_conf": None, "vlan": related_json("vlans", VLAN)}),
        (
            {"vlan": related_json("vlans", VLAN), "ip_v4_conf": None},
            {"ip_v4_conf": None, "vlan": related_json("vlans", VLAN)},
        ),
    ],
)
def test_card_is_as_wished(
    api: APIClient, server: Server, given: dict[str, Any], shown: dict[str, Any]
) -> None:
    (nic,) = change(api, server, [given])
    assert MAC.fullmatch(nic["mac"])
    assert nic == card(nic["mac"], **shown)


def test_cards_have_addresses_of_their_own(api: APIClient, server: Server) -> None:
    nics = change(api, server, [DHCP] * 10)
    assert len({nic["mac"] for nic in nics}) == 10


def test_named_card_keeps_its_address_and_changes_its_configuration(
    api: APIClient, server: Server
) -> None:
    first, second = change(api, server, [DHCP | {"model": "e1000"}, {"vlan": VLAN}])
    static = first | {"ip_v4_conf": {"conf": "static", "ip": "94.26.101.182"}}
    assert change(api, server, [static, second]) == [first | {"ip_v4_conf": STATIC}, second]


def test_cards_come_in_the_order_given(api: APIClient, server: Server) -> None:
    first, second, third = change(api, server, [DHCP, {"vlan": VLAN}, DHCP])
    assert change(api, server, [third, first, second]) == [third, first, second]


def test_card_goes_and_another_changes(api: APIClient, server: Server) -> None:
    _, second = change(api, server, [DHCP, {"vlan": VLAN}])
    assert change(api, server, [DHCP | {"mac": second["mac"]}]) == [card(second["mac"])]


def test_card_is_found_by_its_address_in_capitals(api: APIClient, server: Server) -> None:
    (first,) = change(api, server, [DHCP])
    assert change(api, server, [DHCP | {"mac": first["mac"].upper()}]) == [first]


def test_unnamed_card_takes_the_place_of_the_old_one(api: APIClient, server: Server) -> None:
    (first,) = change(api, server, [DHCP])
    (second,) = change(api, server, [DHCP | {"mac": None}])
    assert second["mac"] != first["mac"]


def test_all_cards_go(api: APIClient, full_server: Server) -> None:
    assert change(api, full_server, []) == []
