"""The grammar that all resources share, asked of each: create, narrow, filter, order."""

import json
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from jobs.actions import submit
from tests.conftest import Unchanged
from tests.factories import (
    GIB,
    DriveFactory,
    KeyPairFactory,
    LibraryEntryFactory,
    ServerFactory,
    SnapshotFactory,
    TagFactory,
)
from tests.trees import leaf
from tests.wire import API, faults_of

Make = Callable[[User, str], Any]
MAKE: dict[str, Make] = {  # an object of this name, for each list
    "drives": lambda owner, name: DriveFactory(owner=owner, name=name),
    "jobs": lambda owner, name: submit(leaf(), owner),
    "keypairs": lambda owner, name: KeyPairFactory(owner=owner, name=name),
    "libdrives": lambda owner, name: LibraryEntryFactory(drive__name=name),
    "pubkeys": lambda owner, name: KeyPairFactory(owner=owner, name=name),
    "servers": lambda owner, name: ServerFactory(owner=owner, name=name),
    "snapshots": lambda owner, name: SnapshotFactory(owner=owner, name=name),
    "tags": lambda owner, name: TagFactory(owner=owner, name=name),
}
DRIVE = "12345678-1234-1234-1234-123456789abc"
DEFINITIONS: dict[str, dict[str, Any]] = {  # what an object can be made of
    "drives": {"name": "new", "size": GIB, "media": "disk"},
    "keypairs": {"name": "new", "algorithm_type": "ed25519"},
    "servers": {"name": "new", "cpu": 1000, "mem": GIB, "vnc_password": "secret"},
    "snapshots": {"drive": DRIVE},
    "tags": {"name": "new"},
}
NAMES = ["Alpha", "alpha beta", "beta", "a,b", "back\\slash"]

every_list = pytest.mark.parametrize("resource", MAKE)
every_named = pytest.mark.parametrize("resource", sorted(set(MAKE) - {"jobs"}))
everything_made = pytest.mark.parametrize("resource", DEFINITIONS)


@pytest.fixture(autouse=True)
def images(storage: object) -> None:
    """Keep the images of each test in a folder of its own."""


def listed(api: APIClient, resource: str, query: str = "") -> list[dict[str, Any]]:
    response = api.get(f"{API}/{resource}/?limit=0&{query}")
    assert response.status_code == 200, response.getvalue()
    return json.loads(response.getvalue())["objects"]


def schema_of(api: APIClient, resource: str) -> dict[str, Any]:
    return api.get(f"{API}/{resource}/schema/").json()


def bodies(definition: dict[str, Any]) -> Iterator[Any]:
    """Yield the three ways to ask for one object."""
    yield from ({"objects": [definition]}, [definition], definition)


@everything_made
def test_one_is_made_in_three_ways(api: APIClient, owner: User, resource: str) -> None:
    for body in bodies(DEFINITIONS[resource]):
        Drive.objects.filter(pk=DRIVE).delete()  # one snapshot at a time is taken of a drive
        DriveFactory(uuid=DRIVE, owner=owner)
        response = api.post(f"{API}/{resource}/", body)
        assert response.status_code == 201
        (made,) = response.json()["objects"]
        assert response["Location"] == f"/api/2.0/{resource}/{made['uuid']}/"
        assert api.get(response["Location"]).json()["uuid"] == made["uuid"]


@everything_made
def test_one_bad_object_makes_none(
    api: APIClient, owner: User, resource: str, unchanged: Unchanged
) -> None:
    DriveFactory(uuid=DRIVE, owner=owner)
    good = DEFINITIONS[resource]
    with unchanged():
        response = api.post(f"{API}/{resource}/", [good, good | {"name": {}}])
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "objects.1.name")]


@everything_made
@pytest.mark.parametrize("meta", [{"x" * 33: "long"}, {"key": 1}, {"key": None}, ["list"], "text"])
def test_meta_is_an_object_of_strings(
    api: APIClient, owner: User, resource: str, meta: Any
) -> None:
    DriveFactory(uuid=DRIVE, owner=owner)
    response = api.post(f"{API}/{resource}/", DEFINITIONS[resource] | {"meta": meta})
    assert response.status_code == 400
    assert all(str(point).startswith("meta") for _, point in faults_of(response))


@everything_made
def test_meta_is_replaced_whole(
    api: APIClient, owner: User, resource: str, run_jobs: Callable[[], None]
) -> None:
    DriveFactory(uuid=DRIVE, owner=owner)
    before = DEFINITIONS[resource] | {"meta": {"old": "value", "x" * 32: "long"}}
    made = api.post(f"{API}/{resource}/", before).json()["objects"][0]
    assert made["meta"] == before["meta"]
    run_jobs()  # a drive that is being made does not change
    changed = api.put(made["resource_uri"], DEFINITIONS[resource] | {"meta": {"new": "value"}})
    assert changed.json()["meta"] == {"new": "value"}


@every_list
def test_fields_narrow_lists_and_objects(api: APIClient, owner: User, resource: str) -> None:
    made = MAKE[resource](owner, "one")
    uuid = str(made.pk)
    for path in ("", "detail/", f"{uuid}/"):
        response = api.get(f"{API}/{resource}/{path}?fields=uuid,resource_uri,nonsense")
        if response.status_code == 404:
            assert (resource, path) == ("jobs", "detail/")
            continue
        body = response.json()
        shown = body if path == f"{uuid}/" else body["objects"][0]
        assert shown == {"resource_uri": f"/api/2.0/{resource}/{uuid}/", "uuid": uuid}


@every_list
@pytest.mark.parametrize("window", ["limit=-1", "limit=x", "offset=-1", "offset=x", "limit=1.5"])
def test_nonsense_window_is_refused(api: APIClient, resource: str, window: str) -> None:
    response = api.get(f"{API}/{resource}/?{window}")
    assert response.status_code == 400
    assert faults_of(response) == [("validation", window.partition("=")[0])]


@every_list
def test_limit_and_offset_walk_through_the_list(api: APIClient, owner: User, resource: str) -> None:
    made = {str(MAKE[resource](owner, f"n{index}").pk) for index in range(3)}
    pages = [api.get(f"{API}/{resource}/?limit=1&offset={index}").json() for index in range(4)]
    assert [page["meta"]["total_count"] for page in pages] == [3] * 4
    assert pages[3]["objects"] == []
    assert {page["objects"][0]["uuid"] for page in pages[:3]} == made
    assert len(listed(api, resource)) == 3


@every_named
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name=beta", {"beta"}),
        ("name=BETA", set()),
        ("name=beta,Alpha", {"Alpha", "beta"}),
        ("name=a\\,b", {"a,b"}),
        ("name=back\\\\slash,beta", {"back\\slash", "beta"}),
        ("name=Alpha&name=beta", set()),
        ("name=Alpha,beta&name=beta", {"beta"}),
        ("colour=red", set(NAMES)),
    ],
)
def test_names_are_filtered(
    api: APIClient, owner: User, resource: str, query: str, expected: set[str]
) -> None:
    for name in NAMES:
        MAKE[resource](owner, name)
    found = [one["name"] for one in listed(api, resource, f"fields=name&{query}")]
    assert sorted(found) == sorted(expected)


@every_named
def test_contains_ignores_case(api: APIClient, owner: User, resource: str) -> None:
    for name in NAMES:
        MAKE[resource](owner, name)
    parameter = "name__icontains" if resource == "libdrives" else "name__contains"
    query = f"fields=name&{parameter}=ALPHA,slash&{parameter}=A"
    found = {one["name"] for one in listed(api, resource, query)}
    assert found == {"Alpha", "alpha beta", "back\\slash"}


@every_list
def test_every_filter_of_the_schema_filters(api: APIClient, owner: User, resource: str) -> None:
    MAKE[resource](owner, "one")
    for parameter in schema_of(api, resource)["filtering"]:
        assert listed(api, resource, f"{parameter}=nothing-is-called-so") == [], parameter


@every_list
def test_uuid_filters(api: APIClient, owner: User, resource: str) -> None:
    if "uuid" in schema_of(api, resource)["filtering"]:
        one, two, _ = (str(MAKE[resource](owner, name).pk) for name in "abc")
        found = {each["uuid"] for each in listed(api, resource, f"uuid={one},{two}")}
        assert found == {one, two}
        assert listed(api, resource, f"uuid={uuid4()}") == []


@every_list
def test_list_is_ordered_by_what_the_schema_names(
    api: APIClient, owner: User, resource: str
) -> None:
    for name in ("b", "c", "a"):
        MAKE[resource](owner, name)
    for field, sign in product(schema_of(api, resource).get("ordering", ()), ("", "-")):
        name = field.removeprefix("-")
        found = [one[name] for one in listed(api, resource, f"fields={name}&order_by={sign}{name}")]
        in_order = sorted(found, key=lambda each: UUID(each) if name == "uuid" else each)
        assert found == (in_order[::-1] if sign else in_order)
    refused = api.get(f"{API}/{resource}/?order_by=colour")
    assert (refused.status_code, faults_of(refused)) == (400, [("validation", "order_by")])
