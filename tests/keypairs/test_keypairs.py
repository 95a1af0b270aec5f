"""`/keypairs/` and `/pubkeys/`: who sees what, changes and deletions."""

import json
import logging
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from keypairs import keys
from keypairs.models import KeyPair
from tests.conftest import Unchanged
from tests.factories import KeyPairFactory
from tests.wire import API, assert_as_many, faults_of, keypair_json, pubkey_json, queries_of

LISTS = ["", "detail/", "?limit=0"]
SHOWN: dict[str, Any] = {"keypairs": keypair_json, "pubkeys": pubkey_json}
RESOURCES = list(SHOWN)


@pytest.fixture
def pair(owner: User) -> KeyPair:
    return KeyPairFactory(owner=owner)


def path(pair: KeyPair, resource: str = "keypairs") -> str:
    return f"{API}/{resource}/{pair.pk}/"


def objects(api: APIClient, address: str) -> list[dict[str, Any]]:
    response = api.get(f"{API}/{address}")
    assert response.status_code == 200
    return json.loads(response.getvalue())["objects"]


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("address", LISTS)
def test_owner_lists_keys(api: APIClient, owner: User, resource: str, address: str) -> None:
    pairs = [KeyPairFactory(owner=owner), KeyPairFactory(owner=owner, private=False)]
    expected = [SHOWN[resource](pair) for pair in pairs]
    assert objects(api, f"{resource}/{address}") == expected


@pytest.mark.parametrize("resource", RESOURCES)
def test_owner_gets_a_key(api: APIClient, pair: KeyPair, resource: str) -> None:
    assert api.get(path(pair, resource)).json() == SHOWN[resource](pair)


def test_public_keys_are_without_the_private_ones(api: APIClient, pair: KeyPair) -> None:
    for address in ("pubkeys/", "pubkeys/detail/", "pubkeys/?fields=private_key,name"):
        assert "private_key" not in objects(api, address)[0]
    assert "PRIVATE KEY" not in api.get(path(pair, "pubkeys")).content.decode()


@pytest.mark.parametrize("resource", RESOURCES)
def test_others_see_nothing(stranger_api: APIClient, pair: KeyPair, resource: str) -> None:
    assert objects(stranger_api, f"{resource}/?uuid={pair.pk}") == []
    response = stranger_api.get(path(pair, resource))
    assert response.status_code == 404
    assert faults_of(response) == [("notexist", None)]


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("address", [*LISTS, "schema/"])
def test_anonymous_sees_nothing(anonymous_api: APIClient, resource: str, address: str) -> None:
    response = anonymous_api.get(f"{API}/{resource}/{address}")
    assert response.status_code == 401
    assert faults_of(response) == [("permission", None)]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("name=a", ["a"]),
        ("name__contains=B", ["b"]),
        ("order_by=-name", ["c", "b", "a"]),
        ("limit=1&offset=2", ["c"]),
        ("fields=name", ["a", "b", "c"]),
    ],
)
def test_list_is_filtered_and_ordered(
    api: APIClient, owner: User, query: str, names: list[str]
) -> None:
    for name in "abc":
        KeyPairFactory(owner=owner, name=name)
    assert [one["name"] for one in objects(api, f"keypairs/?{query}")] == names


def test_key_is_found_by_its_fingerprint(api: APIClient, owner: User, pair: KeyPair) -> None:
    KeyPairFactory(owner=owner)
    found = objects(api, f"pubkeys/?fingerprint={pair.fingerprint}")
    assert [one["uuid"] for one in found] == [str(pair.pk)]


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("address", LISTS)
def test_list_costs_as_many_queries_for_two_as_for_twenty(
    api: APIClient, owner: User, resource: str, address: str
) -> None:
    KeyPairFactory.create_batch(2, owner=owner)
    few = queries_of(lambda: api.get(f"{API}/{resource}/{address}"))
    KeyPairFactory.create_batch(18, owner=owner)
    assert_as_many(few, queries_of(lambda: api.get(f"{API}/{resource}/{address}")))


def test_what_was_got_can_be_put_with_another_name(api: APIClient, pair: KeyPair) -> None:
    shown = api.get(path(pair)).json()
    response = api.put(path(pair), shown | {"name": "new_name", "meta": {"k": "v"}})
    assert response.status_code == 200
    assert response.json() == shown | {"name": "new_name", "meta": {"k": "v"}}


def test_what_is_left_out_stays(api: APIClient, owner: User) -> None:
    pair = KeyPairFactory(owner=owner, meta={"k": "v"})
    assert api.put(path(pair), {"name": "new"}).json() == keypair_json(pair, name="new")


@pytest.mark.parametrize("point", ["public_key", "private_key"])
def test_keys_do_not_change(
    api: APIClient, pair: KeyPair, unchanged: Unchanged, point: str
) -> None:
    other = keys.generate("ed25519")
    key = {"public_key": other.public, "private_key": other.private}[point]
    with unchanged():
        response = api.put(path(pair), {"name": "new", point: key})
    assert response.status_code == 400
    assert faults_of(response) == [("validation", point)]


def test_update_needs_a_name(api: APIClient, pair: KeyPair, unchanged: Unchanged) -> None:
    with unchanged():
        assert faults_of(api.put(path(pair), {})) == [("validation", "name")]


def test_key_pair_is_deleted(api: APIClient, pair: KeyPair) -> None:
    assert api.delete(path(pair)).status_code == 204
    assert api.get(path(pair)).status_code == 404


@pytest.mark.parametrize("method", ["put", "delete"])
def test_others_and_anonymous_change_nothing(
    stranger_api: APIClient,
    anonymous_api: APIClient,
    pair: KeyPair,
    unchanged: Unchanged,
    method: str,
) -> None:
    for client, status in ((stranger_api, 404), (anonymous_api, 401)):
        with unchanged():
            response = getattr(client, method)(path(pair), {"name": "mine"})
        assert response.status_code == status


@pytest.mark.parametrize("method", ["put", "delete", "post"])
def test_public_keys_are_only_read(api: APIClient, pair: KeyPair, method: str) -> None:
    address = f"{API}/pubkeys/" if method == "post" else path(pair, "pubkeys")
    assert getattr(api, method)(address, {"name": "x"}).status_code == 405


def test_no_cache_keeps_a_private_key(api: APIClient, pair: KeyPair) -> None:
    for address in (path(pair), f"{API}/keypairs/", f"{API}/keypairs/?limit=0"):
        response = api.get(address, headers={"Authorization": "Basic"})
        assert response["Cache-Control"] == "private, no-store"


def test_no_log_has_a_private_key(api: APIClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    pair = keys.generate("ed25519")
    api.post(f"{API}/keypairs/", {"name": "x", "private_key": pair.private})
    api.post(f"{API}/keypairs/", {"name": "x", "private_key": pair.private[:-40]})
    assert pair.private.splitlines()[1] not in caplog.text
    assert pair.private not in repr(pair)


def test_old_secret_key_still_opens(api: APIClient, pair: KeyPair, settings: Settings) -> None:
    private = api.get(path(pair)).json()["private_key"]
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new one"
    assert api.get(path(pair)).json()["private_key"] == private


def test_key_that_cannot_be_opened_is_null(
    api: APIClient, pair: KeyPair, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SECRET_KEY = "a new one"
    assert api.get(path(pair)).json()["private_key"] is None
    assert "was the secret key changed?" in caplog.text


@pytest.mark.parametrize(
    ("resource", "writable", "methods"),
    [
        (
            "keypairs",
            {"algorithm_type", "meta", "name", "private_key", "public_key"},
            (["get", "post"], ["get", "put", "delete"]),
        ),
        ("pubkeys", {"meta", "name"}, (["get"], ["get"])),
    ],
)
def test_schema_describes_the_resource(
    api: APIClient, pair: KeyPair, resource: str, writable: set[str], methods: Any
) -> None:
    schema = api.get(f"{API}/{resource}/schema/").json()
    fields = schema["fields"]
    assert {name for name, field in fields.items() if not field["readonly"]} == writable
    assert set(fields) - {"algorithm_type"} == set(SHOWN[resource](pair))
    listed = (schema["allowed_list_http_methods"], schema["allowed_detail_http_methods"])
    assert listed == methods
    assert set(schema["filtering"]) == {"fingerprint", "name", "name__contains", "uuid"}
