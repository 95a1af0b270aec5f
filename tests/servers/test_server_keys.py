"""The SSH keys of servers."""

from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from keypairs.models import KeyPair
from servers.models import Server, ServerKey
from tests.conftest import Unchanged
from tests.factories import KeyPairFactory, ServerFactory
from tests.servers.definitions import DEFINITION
from tests.wire import API, assert_as_many, faults_of, queries_of, related_json


@pytest.fixture
def pairs(owner: User) -> list[KeyPair]:
    return KeyPairFactory.create_batch(2, owner=owner)


def shown(pairs: list[KeyPair]) -> list[dict[str, str]]:
    return [related_json("pubkeys", pair.pk) for pair in pairs]


def with_keys(*pairs: Any) -> dict[str, Any]:
    return {**DEFINITION, "pubkeys": [str(getattr(pair, "pk", pair)) for pair in pairs]}


def path(server: Server) -> str:
    return f"{API}/servers/{server.pk}/"


def test_server_is_made_with_keys(api: APIClient, pairs: list[KeyPair]) -> None:
    given = [{"uuid": str(pairs[1].pk)}, str(pairs[0].pk), str(pairs[0].pk)]
    response = api.post(f"{API}/servers/", {**DEFINITION, "pubkeys": given})
    assert response.status_code == 201
    one = response.json()["objects"][0]
    assert one["pubkeys"] == shown([pairs[1], pairs[0]])
    assert api.get(one["resource_uri"]).json()["pubkeys"] == one["pubkeys"]


def test_update_replaces_keys_that_are_given(
    api: APIClient, server: Server, pairs: list[KeyPair]
) -> None:
    assert api.put(path(server), with_keys(*pairs)).json()["pubkeys"] == shown(pairs)
    assert api.put(path(server), DEFINITION).json()["pubkeys"] == shown(pairs)
    assert api.put(path(server), with_keys(pairs[1])).json()["pubkeys"] == shown(pairs[1:])
    assert api.put(path(server), with_keys()).json()["pubkeys"] == []


def test_keys_of_a_running_server_stay(
    api: APIClient, server: Server, pairs: list[KeyPair]
) -> None:
    Server.objects.update(status="running")
    assert api.put(path(server), with_keys(*pairs)).json()["pubkeys"] == []


def test_unknown_and_foreign_keys_are_refused(
    api: APIClient, server: Server, pairs: list[KeyPair], unchanged: Unchanged
) -> None:
    for other in (uuid4(), KeyPairFactory()):
        with unchanged():
            made = api.post(f"{API}/servers/", with_keys(pairs[0], other))
            changed = api.put(path(server), with_keys(pairs[0], other))
        assert (made.status_code, changed.status_code) == (400, 400)
        assert faults_of(made) == faults_of(changed) == [("validation", "pubkeys.1")]


@pytest.mark.parametrize(
    ("keys", "point"), [("x", "pubkeys"), ([1], "pubkeys.0"), ([str(uuid4())] * 101, "pubkeys")]
)
def test_bad_keys_are_refused(api: APIClient, unchanged: Unchanged, keys: Any, point: str) -> None:
    with unchanged():
        response = api.post(f"{API}/servers/", {**DEFINITION, "pubkeys": keys})
    assert faults_of(response) == [("validation", point)]


def test_clone_has_the_same_keys(api: APIClient, server: Server, pairs: list[KeyPair]) -> None:
    api.put(path(server), with_keys(*pairs))
    clone = api.post(f"{path(server)}action/?do=clone", {}).json()
    assert clone["pubkeys"] == shown(pairs)


def test_server_loses_a_key_that_is_deleted(
    api: APIClient, server: Server, pairs: list[KeyPair]
) -> None:
    api.put(path(server), with_keys(*pairs))
    assert api.delete(f"{API}/keypairs/{pairs[0].pk}/").status_code == 204
    assert api.get(path(server)).json()["pubkeys"] == shown(pairs[1:])


def test_list_costs_as_many_queries_for_two_as_for_twenty(
    api: APIClient, owner: User, pairs: list[KeyPair]
) -> None:
    def add(count: int) -> None:
        for server in ServerFactory.create_batch(count, owner=owner):
            for pair in pairs:
                ServerKey.objects.create(server=server, keypair=pair)

    add(2)
    few = queries_of(lambda: api.get(f"{API}/servers/detail/"))
    add(18)
    assert_as_many(few, queries_of(lambda: api.get(f"{API}/servers/detail/")))
