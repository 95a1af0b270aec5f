"""What is told of a private installation: its place, what it has not, and what is in use."""

from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from tests.factories import (
    GIB,
    MIB,
    DriveFactory,
    LibraryEntryFactory,
    NicFactory,
    ServerFactory,
)
from tests.wire import API, assert_as_many, faults_of, queries_of

EMPTY = ["fwpolicies/", "ips/", "licenses/", "subscriptions/", "vlans/"]
LISTS = [*EMPTY, *(f"{name}detail/" for name in EMPTY), "locations/", "pricing/"]
SINGLES = ["balance/", "cloud_status/", "currentusage/"]
NOTHING = {"burst": 0, "subscribed": 0, "using": 0}


def get(api: APIClient, path: str) -> Any:
    response = api.get(f"{API}/{path}")
    assert response.status_code == 200
    return response.json()


@pytest.mark.parametrize("path", [*EMPTY, *(f"{name}detail/" for name in EMPTY)])
@pytest.mark.parametrize(("query", "limit", "offset"), [("", 20, 0), ("?limit=0&offset=3", 0, 3)])
def test_what_is_not_offered_is_an_empty_list(
    api: APIClient, path: str, query: str, limit: int, offset: int
) -> None:
    meta = {"limit": limit, "offset": offset, "total_count": 0}
    assert get(api, path + query) == {"meta": meta, "objects": []}


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("query", ["limit=-1", "offset=x"])
def test_nonsense_is_refused(api: APIClient, path: str, query: str) -> None:
    response = api.get(f"{API}/{path}?{query}")
    assert response.status_code == 400
    assert faults_of(response) == [("validation", query.split("=", maxsplit=1)[0])]


@pytest.mark.parametrize("path", [*LISTS, *SINGLES])
def test_it_is_only_read(api: APIClient, path: str) -> None:
    response = api.post(f"{API}/{path}", {})
    assert response.status_code == 405
    assert faults_of(response) == [("validation", None)]


@pytest.mark.parametrize("path", [*LISTS, *SINGLES])
def test_it_is_not_for_anonymous(anonymous_api: APIClient, path: str) -> None:
    response = anonymous_api.get(f"{API}/{path}")
    assert response.status_code == 401
    assert faults_of(response) == [("permission", None)]


def test_single_objects_of_empty_lists_do_not_exist(api: APIClient) -> None:
    response = api.get(f"{API}/vlans/00000000-0000-4000-8000-000000000000/")
    assert response.status_code == 404
    assert faults_of(response) == [("notexist", None)]


def test_location_is_the_one_that_answers(api: APIClient, settings: Settings) -> None:
    settings.LOCATION = {
        "id": "ZRH",
        "display_name": "Zurich, Switzerland",
        "country_code": "CH",
        "documentation_url": "https://docs.example.com",
    }
    assert get(api, "locations/?limit=0") == {
        "meta": {"limit": 0, "offset": 0, "total_count": 1},
        "objects": [
            {
                "alternative_frontend_url": "http://testserver/",
                "api_endpoint": "http://testserver/api/2.0/",
                "country_code": "CH",
                "default_frontend_signup_url": "",
                "default_frontend_url": "http://testserver/",
                "display_name": "Zurich, Switzerland",
                "documentation_url": "https://docs.example.com",
                "id": "ZRH",
                "upload_url": "http://testserver/api/2.0/",
                "websocket_url": f"ws://testserver:{settings.EVENTS_PORT}/websocket",
            }
        ],
    }


def test_location_is_paged_and_narrowed(api: APIClient) -> None:
    assert get(api, "locations/?fields=id")["objects"] == [{"id": "LOCAL"}]
    assert get(api, "locations/?offset=1")["objects"] == []


def test_cloud_status_offers_nothing_to_strangers(api: APIClient) -> None:
    status = get(api, "cloud_status/")
    assert not any(status.values())
    assert (status["signup"], status["sso"], status["free_tier"]) == (False, [], {})


def test_balance_is_nothing_in_the_users_currency(api: APIClient, owner: User) -> None:
    owner.profile.currency = "CHF"
    owner.profile.save()
    assert get(api, "balance/") == {"balance": "0.00000000000000000000", "currency": "CHF"}


def test_nothing_has_a_price(api: APIClient) -> None:
    meta = {"limit": 20, "offset": 0, "total_count": 0}
    assert get(api, "pricing/") == {"current": {}, "meta": meta, "next": {}, "objects": []}


def used(amount: int) -> dict[str, int]:
    return {"burst": amount, "subscribed": 0, "using": amount}


def test_use_of_a_newcomer_is_nothing(api: APIClient) -> None:
    names = ["cpu", "dssd", "ip", "mem", "nvme", "vlan", "zadara"]
    assert get(api, "currentusage/") == {
        "balance": {"balance": "0.00000000000000000000", "currency": "USD"},
        "usage": dict.fromkeys(names, NOTHING),
    }


def test_use_counts_what_the_user_has(
    api: APIClient, stranger_api: APIClient, owner: User, storage: object
) -> None:
    running = ServerFactory(owner=owner, cpu=1500, status="running")
    ServerFactory(owner=owner, cpu=2000)
    for address in ("94.26.101.182", "94.26.101.182", "94.26.101.183"):
        NicFactory(server=running, conf="static", ip=address)
    NicFactory(server=running, conf="", vlan="00000000-0000-4000-8000-000000000000")
    DriveFactory.create_batch(2, owner=owner)
    LibraryEntryFactory()
    usage = get(api, "currentusage/")["usage"]
    assert {name: part for name, part in usage.items() if part != NOTHING} == {
        "cpu": used(1500),
        "dssd": used(2 * GIB),
        "ip": used(2),
        "mem": used(512 * MIB),
        "vlan": used(1),
    }
    assert set(map(str, get(stranger_api, "currentusage/")["usage"].values())) == {str(NOTHING)}


def test_use_costs_as_many_queries_for_two_as_for_twenty(
    api: APIClient, owner: User, storage: object
) -> None:
    def add(count: int) -> None:
        DriveFactory.create_batch(count, owner=owner)
        for server in ServerFactory.create_batch(count, owner=owner, status="running"):
            NicFactory(server=server)

    add(2)
    few = queries_of(lambda: api.get(f"{API}/currentusage/"))
    add(18)
    assert_as_many(few, queries_of(lambda: api.get(f"{API}/currentusage/")))


def test_location_tells_the_address_of_events_behind_a_proxy(
    api: APIClient, settings: Settings
) -> None:
    settings.EVENTS_URL = "wss://cloud.example.com/websocket"
    (location,) = get(api, "locations/")["objects"]
    assert location["websocket_url"] == settings.EVENTS_URL
