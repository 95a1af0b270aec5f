from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from servers.models import Server
from tests.factories import ServerFactory
from tests.wire import API, assert_as_many, faults_of, queries_of

GROUPS = f"{API}/servers/availability_groups/"


@pytest.fixture
def servers(owner: User) -> list[Server]:
    return ServerFactory.create_batch(3, owner=owner)


def test_all_servers_are_on_the_one_hypervisor(api: APIClient, servers: list[Server]) -> None:
    response = api.get(GROUPS)
    assert response.status_code == 200
    assert response.json() == [[str(server.pk) for server in servers]]


def test_group_of_one_server_has_its_neighbours(api: APIClient, servers: list[Server]) -> None:
    response = api.get(f"{GROUPS}{servers[1].pk}/")
    assert response.status_code == 200
    assert response.json() == [str(server.pk) for server in servers]


def test_without_servers_there_is_no_group(api: APIClient) -> None:
    assert api.get(GROUPS).json() == []


def test_groups_hold_nothing_of_others(
    stranger_api: APIClient, stranger: User, servers: list[Server]
) -> None:
    assert stranger_api.get(GROUPS).json() == []
    own = ServerFactory(owner=stranger)
    assert stranger_api.get(f"{GROUPS}{own.pk}/").json() == [str(own.pk)]


def test_group_of_a_foreign_or_unknown_server_is_not_there(
    stranger_api: APIClient, servers: list[Server]
) -> None:
    for uuid in (servers[0].pk, uuid4(), "not-a-uuid"):
        response = stranger_api.get(f"{GROUPS}{uuid}/")
        assert response.status_code == 404
        assert faults_of(response) == [("notexist", None)]


def test_groups_are_not_for_anonymous(anonymous_api: APIClient, servers: list[Server]) -> None:
    assert anonymous_api.get(GROUPS).status_code == 401
    assert anonymous_api.get(f"{GROUPS}{servers[0].pk}/").status_code == 401


def test_groups_cost_as_many_queries_for_two_as_for_twenty(api: APIClient, owner: User) -> None:
    ServerFactory.create_batch(2, owner=owner)
    few = queries_of(lambda: api.get(GROUPS))
    ServerFactory.create_batch(18, owner=owner)
    assert_as_many(few, queries_of(lambda: api.get(GROUPS)))
