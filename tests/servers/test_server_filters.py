import json
from itertools import chain
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from servers.models import Server
from tests.factories import ServerFactory
from tests.wire import API, faults_of

LISTS = ["servers/", "servers/detail/"]


@pytest.fixture
def servers(owner: User) -> list[Server]:
    return [ServerFactory(owner=owner, name=name) for name in ("web b", "Web,c", "db a")]


def objects(api: APIClient, path: str) -> list[dict[str, Any]]:
    response = api.get(f"{API}/{path}")
    assert response.status_code == 200
    return json.loads(response.getvalue())["objects"]


@pytest.mark.usefixtures("servers")
@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name=db a", ["db a"]),
        ("name=DB A", []),
        ("name=web b,db a", ["web b", "db a"]),
        ("name=Web\\,c", ["Web,c"]),
        ("name__contains=WEB", ["web b", "Web,c"]),
        ("name__contains=web&name__contains=c", ["Web,c"]),
        ("name=", []),
        ("uuid=not-a-uuid", []),
        ("uuid=%00", []),
        ("status=running", ["web b", "Web,c", "db a"]),
        ("drives__name=x&owner__password=x", ["web b", "Web,c", "db a"]),
    ],
)
def test_filter_finds(api: APIClient, path: str, query: str, expected: list[str]) -> None:
    assert [one["name"] for one in objects(api, f"{path}?{query}")] == expected


def test_filter_by_uuid(api: APIClient, servers: list[Server]) -> None:
    first, second, _ = (str(server.pk) for server in servers)
    shown = [one["uuid"] for one in objects(api, f"servers/?uuid={first},{second}")]
    assert shown == [first, second]


def test_filter_does_not_reach_the_servers_of_others(api: APIClient, stranger: User) -> None:
    foreign = ServerFactory(owner=stranger)
    assert objects(api, f"servers/?uuid={foreign.pk}") == []
    assert objects(api, f"servers/?name={foreign.name}") == []


def test_servers_are_listed_oldest_first(api: APIClient, servers: list[Server]) -> None:
    assert [one["uuid"] for one in objects(api, "servers/")] == [str(one.pk) for one in servers]


@pytest.mark.parametrize("order", ["uuid", "-uuid"])
def test_order_by_uuid(api: APIClient, servers: list[Server], order: str) -> None:
    expected = sorted((str(one.pk) for one in servers), reverse=order.startswith("-"))
    assert [one["uuid"] for one in objects(api, f"servers/?order_by={order}")] == expected


@pytest.mark.parametrize("order", ["name", "-name"])
def test_order_by_name(api: APIClient, owner: User, order: str) -> None:
    for name in "bca":
        ServerFactory(owner=owner, name=name)
    expected = sorted("bca", reverse=order.startswith("-"))
    assert [one["name"] for one in objects(api, f"servers/?order_by={order}")] == expected


@pytest.mark.parametrize("order", ["name", "-name"])
def test_ties_are_broken_by_uuid_so_that_pages_do_not_overlap(
    api: APIClient, owner: User, order: str
) -> None:
    same = ServerFactory.create_batch(7, owner=owner, name="same")
    queries = (f"servers/?order_by={order}&limit=2&offset={i}" for i in range(0, 7, 2))
    shown = [one["uuid"] for one in chain(*(objects(api, query) for query in queries))]
    assert shown == sorted(str(server.pk) for server in same)


@pytest.mark.parametrize("order", ["cpu", "status", "--name", "name,uuid", "owner", "pk", "%00"])
def test_field_that_cannot_order_is_refused(api: APIClient, order: str) -> None:
    response = api.get(f"{API}/servers/", {"order_by": order})
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "order_by")]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", ["", "&limit=0"])
def test_lists_are_narrowed_to_the_fields(
    api: APIClient, server: Server, path: str, limit: str
) -> None:
    shown = objects(api, f"{path}?fields=uuid,status,drives,colour{limit}")
    assert shown == [{"drives": [], "status": "stopped", "uuid": str(server.pk)}]


def test_object_is_narrowed_to_the_fields(api: APIClient, full_server: Server) -> None:
    path = f"{API}/servers/{full_server.pk}/"
    whole = api.get(path).json()
    narrow = api.get(f"{path}?fields=name,nics,runtime").json()
    assert narrow == {name: whole[name] for name in ("name", "nics", "runtime")}
