"""`/tags/`: made, looked at, changed and deleted."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from servers.models import Server
from tags.models import Tag, TagLink
from tests.conftest import Unchanged
from tests.factories import DriveFactory, LibraryEntryFactory, TagFactory
from tests.wire import API, assert_as_many, faults_of, queries_of, tag_json

TAGS = f"{API}/tags/"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
LISTS = ["", "detail/", "?limit=0", "detail/?limit=0"]


def path(tag: Tag) -> str:
    return f"{TAGS}{tag.pk}/"


def body_of(api: APIClient, address: str) -> dict[str, Any]:
    response = api.get(TAGS + address)
    assert response.status_code == 200
    return json.loads(response.getvalue())


def test_tag_is_made(api: APIClient, owner: User) -> None:
    response = api.post(TAGS, {"objects": [{"name": "MyGroupOfThings"}]})
    tag = Tag.objects.get()
    assert (response.status_code, response["Location"]) == (201, path(tag))
    assert response.json() == {"objects": [tag_json(tag)]}
    assert (tag.owner, tag.name, tag.meta) == (owner, "MyGroupOfThings", {})


def test_tag_is_made_with_resources(api: APIClient, drive: Drive, server: Server) -> None:
    resources = [str(server.pk), {"uuid": str(drive.pk)}, str(server.pk)]
    response = api.post(TAGS, {"name": "t", "meta": {"k": "v"}, "resources": resources})
    tag = Tag.objects.get()
    assert response.json() == {"objects": [tag_json(tag, server, drive)]}
    assert tag.meta == {"k": "v"}


def test_tags_are_made_in_bulk(api: APIClient) -> None:
    response = api.post(TAGS, [{"name": "a"}, {"name": "b"}])
    assert [one["name"] for one in response.json()["objects"]] == ["a", "b"]
    assert "Location" not in response


@pytest.mark.parametrize(
    ("body", "point"),
    [
        ({}, "name"),
        ({"name": 1}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": "t", "meta": {"k": 1}}, "meta.k"),
        ({"name": "t", "resources": "x"}, "resources"),
        ({"name": "t", "resources": ["94.26.101.182"]}, "resources.0"),
        ({"name": "t", "resources": [UNKNOWN]}, "resources.0"),
        ({"name": "t", "resources": [UNKNOWN] * 501}, "resources"),
        ([{"name": "a"}, {"name": "b", "resources": [UNKNOWN]}], "objects.1.resources.0"),
        ([], "objects"),
    ],
)
def test_bad_tags_are_refused(api: APIClient, unchanged: Unchanged, body: Any, point: str) -> None:
    with unchanged():
        response = api.post(TAGS, body)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", point)]


def test_what_others_have_is_not_tagged(
    api: APIClient, drive: Drive, stranger: User, unchanged: Unchanged
) -> None:
    tag = TagFactory(owner=drive.owner)
    for other in (DriveFactory(owner=stranger), LibraryEntryFactory()):
        body = {"name": "t", "resources": [str(drive.pk), str(other.pk)]}
        with unchanged():
            responses = [api.post(TAGS, body), api.put(path(tag), body)]
        assert [response.status_code for response in responses] == [400, 400]
        assert [faults_of(each) for each in responses] == [[("validation", "resources.1")]] * 2


@pytest.mark.parametrize("address", LISTS)
def test_lists_are_complete(
    api: APIClient, owner: User, drive: Drive, server: Server, address: str
) -> None:
    tags = [TagFactory(owner=owner), TagFactory(owner=owner, resources=[drive, server])]
    limit = 0 if "limit" in address else 20
    assert body_of(api, address) == {
        "meta": {"limit": limit, "offset": 0, "total_count": 2},
        "objects": [tag_json(tags[0]), tag_json(tags[1], drive, server)],
    }


@pytest.mark.parametrize("address", LISTS)
def test_tags_of_others_are_not_seen(api: APIClient, stranger: User, address: str) -> None:
    TagFactory(owner=stranger)
    assert body_of(api, address)["objects"] == []


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("name=a", ["a"]),
        ("name=a,c", ["a", "c"]),
        ("name__contains=B", ["b"]),
        ("order_by=-name", ["c", "b", "a"]),
        ("limit=1&offset=1", ["b"]),
    ],
)
def test_list_is_filtered_and_ordered(
    api: APIClient, owner: User, query: str, names: list[str]
) -> None:
    for name in "abc":
        TagFactory(owner=owner, name=name)
    assert [one["name"] for one in body_of(api, f"?{query}")["objects"]] == names


def test_fields_narrow_the_list(api: APIClient, owner: User) -> None:
    tag = TagFactory(owner=owner)
    assert body_of(api, "?fields=name,no-such")["objects"] == [{"name": tag.name}]


@pytest.mark.parametrize("address", LISTS)
def test_list_costs_as_many_queries_for_two_as_for_twenty(
    api: APIClient, owner: User, drive: Drive, server: Server, address: str
) -> None:
    TagFactory.create_batch(2, owner=owner, resources=[drive, server])
    few = queries_of(lambda: api.get(TAGS + address))
    TagFactory.create_batch(18, owner=owner, resources=[drive, server])
    assert_as_many(few, queries_of(lambda: api.get(TAGS + address)))


def test_tag_is_got(api: APIClient, owner: User, drive: Drive) -> None:
    tag = TagFactory(owner=owner, resources=[drive])
    assert body_of(api, f"{tag.pk}/") == tag_json(tag, drive)


def test_update_replaces_what_is_given(
    api: APIClient, owner: User, drive: Drive, server: Server
) -> None:
    tag = TagFactory(owner=owner, meta={"k": "v"}, resources=[drive])
    response = api.put(path(tag), {"name": "new", "resources": [str(server.pk)]})
    tag.refresh_from_db()
    assert response.json() == tag_json(tag, server)
    assert (tag.name, tag.meta) == ("new", {"k": "v"})
    assert api.put(path(tag), {"name": "new"}).json() == tag_json(tag, server)
    assert api.put(path(tag), {"name": "new", "resources": []}).json() == tag_json(tag)


def test_what_was_got_can_be_put(api: APIClient, owner: User, drive: Drive) -> None:
    tag = TagFactory(owner=owner, resources=[drive])
    shown = api.get(path(tag)).json()
    assert api.put(path(tag), shown).json() == shown


def test_tag_is_deleted_and_its_things_stay(api: APIClient, owner: User, drive: Drive) -> None:
    tag = TagFactory(owner=owner, resources=[drive])
    assert api.delete(path(tag)).status_code == 204
    assert not Tag.objects.exists()
    assert not TagLink.objects.exists()
    assert api.get(f"{API}/drives/{drive.pk}/").json()["tags"] == []


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_tags_of_others_are_left_alone(
    stranger_api: APIClient, owner: User, unchanged: Unchanged, method: str
) -> None:
    tag = TagFactory(owner=owner)
    with unchanged():
        response = getattr(stranger_api, method)(path(tag), {"name": "mine"})
    assert response.status_code == 404
    assert faults_of(response) == [("notexist", None)]


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("get", ""),
        ("post", ""),
        ("get", "detail/"),
        ("get", "schema/"),
        ("get", f"{UNKNOWN}/"),
        ("put", f"{UNKNOWN}/"),
        ("delete", f"{UNKNOWN}/"),
        ("get", f"{UNKNOWN}/servers/"),
        ("get", f"{UNKNOWN}/drives/"),
    ],
)
def test_tags_are_not_for_anonymous(anonymous_api: APIClient, method: str, address: str) -> None:
    response = getattr(anonymous_api, method)(TAGS + address, {"name": "t"})
    assert response.status_code == 401
    assert faults_of(response) == [("permission", None)]


def test_schema_describes_the_resource(api: APIClient, owner: User) -> None:
    schema = body_of(api, "schema/")
    fields = schema.pop("fields")
    assert schema == {
        "allowed_detail_http_methods": ["get", "put", "delete"],
        "allowed_list_http_methods": ["get", "post"],
        "default_format": "application/json",
        "default_limit": 20,
        "filtering": dict.fromkeys(["name", "name__contains", "uuid"], "exact"),
        "ordering": ["uuid", "name"],
    }
    described = {name: (field["type"], field["readonly"]) for name, field in fields.items()}
    assert described == {
        "meta": ("dict", False),
        "name": ("string", False),
        "owner": ("related", True),
        "resource_uri": ("string", True),
        "resources": ("related", False),
        "uuid": ("string", True),
    }
    assert list(described) == sorted(tag_json(TagFactory(owner=owner)))
    assert {field["default"] for field in fields.values()} == {"No default provided."}
