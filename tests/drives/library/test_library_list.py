"""`/libdrives/` as everyone sees it."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import LibraryEntry
from tests.factories import DriveFactory, LibraryEntryFactory, MountFactory
from tests.wire import (
    API,
    assert_as_many,
    drive_json,
    faults_of,
    library_json,
    queries_of,
    related_json,
    runtime_json,
)

LIBRARY = f"{API}/libdrives/"
ADDRESSES = ["", "detail/", "?limit=0"]


@pytest.fixture
def entry(db: None) -> LibraryEntry:
    return LibraryEntryFactory(url="https://example.com/", description="A disk to begin with")


def body_of(api: APIClient, path: str) -> dict[str, Any]:
    response = api.get(LIBRARY + path)
    assert response.status_code == 200
    return json.loads(response.getvalue())


def names(api: APIClient, query: str) -> list[str]:
    return [one["name"] for one in body_of(api, query)["objects"]]


@pytest.mark.parametrize("path", ADDRESSES)
def test_everyone_sees_the_library(
    api: APIClient, stranger_api: APIClient, owner: User, path: str
) -> None:
    entries = LibraryEntryFactory.create_batch(2)
    DriveFactory(owner=owner)
    for client in (api, stranger_api):
        assert body_of(client, path) == {
            "meta": {"limit": 0 if path else 20, "offset": 0, "total_count": 2}
            | ({"limit": 20} if path == "detail/" else {}),
            "objects": [library_json(entry) for entry in entries],
        }


def test_drive_of_the_library_is_got(api: APIClient, entry: LibraryEntry) -> None:
    assert body_of(api, f"{entry.pk}/") == library_json(entry)


def test_what_is_not_said_is_null(api: APIClient) -> None:
    entry = LibraryEntryFactory(distribution="", version="")
    shown = body_of(api, f"{entry.pk}/")
    assert (shown["distribution"], shown["version"]) == (None, None)


def test_drive_of_the_library_is_got_through_drives(api: APIClient, entry: LibraryEntry) -> None:
    expected = drive_json(entry.drive, runtime=runtime_json("dssd", snapshotable=False))
    assert api.get(f"{API}/drives/{entry.pk}/").json() == expected


def test_image_of_the_library_is_downloaded(api: APIClient, anonymous_api: APIClient) -> None:
    entry = LibraryEntryFactory(drive__image=b"golden")
    address = f"{API}/drives/{entry.pk}/download/"
    assert api.get(address, headers={"Range": "bytes=0-5"}).getvalue() == b"golden"
    assert anonymous_api.get(address).status_code == 401


@pytest.mark.parametrize("path", ["drives/", "drives/detail/"])
def test_lists_of_drives_are_without_the_library(
    api: APIClient, entry: LibraryEntry, path: str
) -> None:
    assert api.get(f"{API}/{path}").json()["objects"] == []
    assert api.get(f"{API}/drives/availability_groups/").json() == []


def test_own_drives_are_not_in_the_library(api: APIClient, owner: User) -> None:
    drive = DriveFactory(owner=owner)
    assert api.get(f"{LIBRARY}{drive.pk}/").status_code == 404


@pytest.mark.parametrize("path", [*ADDRESSES, "schema/"])
def test_library_is_not_for_anonymous(
    anonymous_api: APIClient, entry: LibraryEntry, path: str
) -> None:
    response = anonymous_api.get(LIBRARY + path)
    assert response.status_code == 401
    assert faults_of(response) == [("permission", None)]
    assert anonymous_api.get(f"{LIBRARY}{entry.pk}/").status_code == 401


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("arch=32", ["b"]),
        ("category=webserver", ["a", "b"]),
        ("category=general,database", ["a", "c"]),
        ("category=webserver&category=general", ["a"]),
        ("category=web", []),
        ("distribution=Debian", ["b"]),
        ("image_type=install", ["c"]),
        ("name=a,c", ["a", "c"]),
        ("name__icontains=B", ["b"]),
        ("os=windows", ["c"]),
        ("version=7", ["b"]),
        ("fields=name&order_by=-name", ["c", "b", "a"]),
    ],
)
def test_library_is_filtered(api: APIClient, query: str, expected: list[str]) -> None:
    LibraryEntryFactory(drive__name="a", category=["webserver", "general"])
    LibraryEntryFactory(
        drive__name="b", arch="32", category=["webserver"], distribution="Debian", version="7"
    )
    LibraryEntryFactory(drive__name="c", category=["database"], os="windows", image_type="install")
    assert names(api, f"?{query}") == expected


def test_library_is_filtered_by_uuid(api: APIClient, entry: LibraryEntry) -> None:
    LibraryEntryFactory()
    assert names(api, f"?uuid={entry.pk}") == [entry.drive.name]


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_library_is_only_read_at_its_own_address(
    api: APIClient, entry: LibraryEntry, method: str
) -> None:
    address = LIBRARY if method == "post" else f"{LIBRARY}{entry.pk}/"
    response = getattr(api, method)(address, {"name": "mine"})
    assert response.status_code == 405
    assert faults_of(response) == [("validation", None)]


def test_schema_describes_the_library(api: APIClient, entry: LibraryEntry) -> None:
    schema = body_of(api, "schema/")
    assert {name: part for name, part in schema.items() if name != "fields"} == {
        "allowed_detail_http_methods": ["get"],
        "allowed_list_http_methods": ["get"],
        "default_format": "application/json",
        "default_limit": 20,
        "filtering": dict.fromkeys(
            [
                "arch",
                "category",
                "distribution",
                "image_type",
                "name",
                "name__icontains",
                "os",
                "uuid",
                "version",
            ],
            "exact",
        ),
        "ordering": ["uuid", "name"],
    }
    assert list(schema["fields"]) == sorted(library_json(entry))
    defaults = {name: fields["default"] for name, fields in schema["fields"].items()}
    assert {name for name, default in defaults.items() if default == []} == {
        "affinities",
        "category",
        "licenses",
    }
    assert set(schema["fields"]["licenses"]["fields"]) == {"amount", "license", "user"}
    assert all(field["readonly"] and field["help_text"] for field in schema["fields"].values())


def test_mounts_of_others_are_not_shown(
    api: APIClient, stranger_api: APIClient, owner: User
) -> None:
    entry = LibraryEntryFactory(drive__media="cdrom")
    mount = MountFactory(drive=entry.drive, server__owner=owner)
    mine = [related_json("servers", mount.server_id)]
    for path in (f"{LIBRARY}{entry.pk}/", f"{API}/drives/{entry.pk}/"):
        assert api.get(path).json()["mounted_on"] == mine
        assert stranger_api.get(path).json()["mounted_on"] == []
        assert stranger_api.get(path).json()["status"] == "unmounted"


@pytest.mark.parametrize("path", ["", "detail/", "?limit=0"])
def test_library_costs_as_many_queries_for_two_as_for_twenty(
    api: APIClient, owner: User, path: str
) -> None:
    def add(count: int) -> None:
        for entry in LibraryEntryFactory.create_batch(count, drive__media="cdrom"):
            MountFactory(drive=entry.drive, server__owner=owner)

    add(2)
    few = queries_of(lambda: api.get(LIBRARY + path))
    add(18)
    assert_as_many(few, queries_of(lambda: api.get(LIBRARY + path)))
