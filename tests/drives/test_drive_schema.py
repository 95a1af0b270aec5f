from typing import Any

import pytest
from rest_framework.test import APIClient

from drives.models import Drive
from tests.factories import DriveFactory
from tests.wire import API, drive_json, flat_schema

SCHEMA = f"{API}/drives/schema/"
PARTS = {"default", "help_text", "readonly", "required", "type"}
NO_DEFAULT = "No default provided."


@pytest.fixture
def schema(api: APIClient) -> dict[str, Any]:
    return api.get(SCHEMA).json()


def test_schema_describes_the_resource(schema: dict[str, Any]) -> None:
    assert {name: part for name, part in schema.items() if name != "fields"} == {
        "allowed_detail_http_methods": ["get", "put", "delete"],
        "allowed_list_http_methods": ["get", "delete", "post"],
        "default_format": "application/json",
        "default_limit": 20,
        "filtering": dict.fromkeys(["name", "name__contains", "tag", "uuid"], "exact"),
        "ordering": ["uuid", "name"],
    }


FIELDS: dict[str, tuple[str, Any]] = {
    "affinities": ("list", []),
    "allow_multimount": ("boolean", False),
    "backup_scheduler": ("related", NO_DEFAULT),
    "grantees": ("list", NO_DEFAULT),
    "iops": ("integer", None),
    "jobs": ("related", NO_DEFAULT),
    "licenses": ("related", []),
    "licenses.amount": ("integer", 1),
    "licenses.license": ("related", NO_DEFAULT),
    "licenses.user": ("related", None),
    "media": ("string", None),
    "meta": ("dict", {}),
    "mounted_on": ("related", NO_DEFAULT),
    "name": ("string", None),
    "owner": ("related", None),
    "permissions": ("list", NO_DEFAULT),
    "remote_snapshots": ("related", NO_DEFAULT),
    "resource_uri": ("string", NO_DEFAULT),
    "runtime": ("related", NO_DEFAULT),
    "runtime.is_downloadable": ("boolean", NO_DEFAULT),
    "runtime.is_ephemeral": ("boolean", NO_DEFAULT),
    "runtime.is_snapshotable": ("boolean", NO_DEFAULT),
    "runtime.snapshots_allocated_size": ("integer", NO_DEFAULT),
    "runtime.storage_type": ("string", NO_DEFAULT),
    "size": ("integer", None),
    "snapshots": ("related", NO_DEFAULT),
    "status": ("string", NO_DEFAULT),
    "storage_type": ("string", None),
    "tags": ("related", NO_DEFAULT),
    "uuid": ("string", None),
}
WRITABLE = {
    "affinities",
    "allow_multimount",
    "licenses.amount",
    "licenses.user",
    "media",
    "meta",
    "name",
    "size",
    "storage_type",
    "tags",
}
NOT_REQUIRED = {
    "affinities",
    "allow_multimount",
    "backup_scheduler",
    "grantees",
    "iops",
    "licenses",
    "licenses.amount",
    "licenses.user",
    "meta",
    "permissions",
    "remote_snapshots",
    "snapshots",
    "storage_type",
    "tags",
}


def test_schema_tells_types_and_defaults(schema: dict[str, Any]) -> None:
    described = flat_schema(schema["fields"])
    assert {name: (each["type"], each["default"]) for name, each in described.items()} == FIELDS
    assert list(described) == sorted(FIELDS)


def test_schema_tells_what_can_be_written(schema: dict[str, Any]) -> None:
    described = flat_schema(schema["fields"])
    assert {name for name, each in described.items() if not each["readonly"]} == WRITABLE


def test_schema_tells_what_is_required(schema: dict[str, Any]) -> None:
    described = flat_schema(schema["fields"])
    assert {name for name, each in described.items() if not each["required"]} == NOT_REQUIRED


def test_schema_describes_each_field_alike(schema: dict[str, Any]) -> None:
    for name, field in flat_schema(schema["fields"]).items():
        assert set(field) - {"choices", "fields"} == PARTS, name
        assert field["help_text"], name


@pytest.mark.django_db
def test_schema_names_every_field_of_a_drive(schema: dict[str, Any]) -> None:
    drive: Drive = DriveFactory()
    assert list(schema["fields"]) == sorted(drive_json(drive))
    assert list(schema["fields"]["runtime"]["fields"]) == sorted(drive_json(drive)["runtime"])


def test_schema_tells_the_choices(schema: dict[str, Any]) -> None:
    described = flat_schema(schema["fields"])
    choices = {name: each["choices"] for name, each in described.items() if "choices" in each}
    assert choices == {
        "affinities": ["ssd"],
        "media": ["cdrom", "disk"],
        "storage_type": ["dssd", "nvme", "zadara"],
    }


def test_schema_is_for_every_user(stranger_api: APIClient, anonymous_api: APIClient) -> None:
    assert stranger_api.get(SCHEMA).status_code == 200
    assert anonymous_api.get(SCHEMA).status_code == 401
