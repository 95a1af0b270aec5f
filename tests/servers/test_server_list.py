import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from servers.actions import CloneWishes, clone_server
from servers.models import Server
from tests.factories import MountFactory, NicFactory, ServerFactory
from tests.wire import API, assert_as_many, faults_of, queries_of, related_json, server_json

LISTS = ["servers/", "servers/detail/"]


def body_of(api: APIClient, path: str) -> dict[str, Any]:
    response = api.get(f"{API}/{path}")
    assert response.status_code == 200
    return json.loads(response.getvalue())


@pytest.mark.parametrize("limit", [20, 0])
def test_list_is_short(api: APIClient, owner: User, limit: int) -> None:
    servers = ServerFactory.create_batch(2, owner=owner)
    assert body_of(api, f"servers/?limit={limit}") == {
        "meta": {"limit": limit, "offset": 0, "total_count": 2},
        "objects": [
            {
                "name": server.name,
                "owner": related_json("user", owner.pk),
                "resource_uri": f"/api/2.0/servers/{server.pk}/",
                "runtime": None,
                "status": "stopped",
                "uuid": str(server.pk),
            }
            for server in servers
        ],
    }


@pytest.mark.parametrize("limit", [20, 0])
def test_detail_list_is_complete(
    api: APIClient, server: Server, full_server: Server, limit: int
) -> None:
    assert body_of(api, f"servers/detail/?limit={limit}") == {
        "meta": {"limit": limit, "offset": 0, "total_count": 2},
        "objects": [server_json(server), server_json(full_server)],
    }


@pytest.mark.parametrize("path", LISTS)
def test_list_shows_what_runs(
    api: APIClient, full_server: Server, run_jobs: Any, path: str
) -> None:
    api.post(f"{API}/servers/{full_server.pk}/action/?do=start")
    run_jobs()
    shown = body_of(api, path)["objects"][0]
    whole = api.get(f"{API}/servers/{full_server.pk}/").json()
    assert shown["runtime"]["active_since"]
    assert shown == {name: whole[name] for name in shown}


def test_detail_list_shows_the_jobs_of_each_server(
    api: APIClient, owner: User, server: Server
) -> None:
    clones = [clone_server(server.pk, owner, CloneWishes()) for _ in range(2)]
    shown = {one["uuid"]: one["jobs"] for one in body_of(api, "servers/detail/")["objects"]}
    assert [len(shown[str(clone.pk)]) for clone in clones] == [1, 1]
    assert shown[str(server.pk)] == shown[str(clones[0].pk)] + shown[str(clones[1].pk)]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.usefixtures("server")
def test_list_shows_nothing_of_others(stranger_api: APIClient, path: str) -> None:
    assert body_of(stranger_api, path)["objects"] == []
    assert body_of(stranger_api, f"{path}?limit=0")["meta"]["total_count"] == 0


@pytest.mark.parametrize("path", LISTS)
def test_list_is_not_for_anonymous(anonymous_api: APIClient, path: str) -> None:
    response = anonymous_api.get(f"{API}/{path}?limit=0")
    assert response.status_code == 401
    assert faults_of(response) == [("permission", None)]


@pytest.mark.parametrize("path", [*LISTS, "servers/?limit=0", "servers/detail/?limit=0"])
def test_list_costs_as_many_queries_for_two_as_for_twenty(
    api: APIClient, owner: User, path: str
) -> None:
    def make_pairs(count: int) -> None:
        for server in ServerFactory.create_batch(count, owner=owner):
            MountFactory(server=server)
            NicFactory(server=server)
            clone_server(server.pk, owner, CloneWishes())

    make_pairs(1)
    few = queries_of(lambda: api.get(f"{API}/{path}"))
    make_pairs(9)
    assert_as_many(few, queries_of(lambda: api.get(f"{API}/{path}")))


@pytest.mark.parametrize("path", LISTS)
def test_running_servers_cost_no_more_queries(api: APIClient, owner: User, path: str) -> None:
    def make_running(count: int) -> None:
        made = ServerFactory.create_batch(
            count, owner=owner, status="running", active_since="2014-06-05T09:45:08Z"
        )
        for server in made:
            MountFactory(server=server)
            NicFactory.create_batch(2, server=server)

    make_running(2)
    few = queries_of(lambda: api.get(f"{API}/{path}"))
    make_running(18)
    assert_as_many(few, queries_of(lambda: api.get(f"{API}/{path}")))
