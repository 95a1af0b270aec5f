from typing import Any

import pytest
from rest_framework.test import APIClient

from drives.models import Drive
from tests.factories import DriveFactory
from tests.wire import API, drive_json

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
        "filtering": {"name": "exact", "name__contains": "exact", "uuid": "exact"},
        "ordering": ["uuid", "name"],
    }


@pytest.mark.django_db
def test_schema_names_every_field_of_a_drive(schema: dict[str, Any]) -> None:
    drive: Drive = DriveFactory()
    assert list(schema["fields"]) == sorted(drive_json(drive))
    assert list(schema["fields"]["runtime"]["fields"]) == sorted(drive_json(drive)["runtime"])
    for field in schema["fields"].values():
        assert set(field) - {"choices", "fields"} == PARTS
        assert field["help_text"]


@pytest.mark.parametrize(
    ("name", "type_name", "readonly", "required"),
    [
        ("affinities", "list", False, False),
        ("allow_multimount", "boolean", False, False),
        ("jobs", "related", True, True),
        ("media", "string", False, True),
        ("meta", "dict", False, False),
        ("name", "string", False, True),
        ("owner", "related", True, None),
        ("resource_uri", "string", True, True),
        ("runtime", "related", True, None),
        ("size", "integer", False, True),
        ("status", "string", True, True),
        ("storage_type", "string", False, False),
        ("uuid", "string", True, True),
        ("backup_scheduler", "related", True, None),
        ("grantees", "list", None, None),
        ("iops", "integer", None, None),
        ("licenses", "related", None, None),
        ("mounted_on", "related", True, None),
        ("permissions", "list", None, None),
        ("remote_snapshots", "related", True, None),
        ("snapshots", "related", True, None),
        ("tags", "related", None, None),
    ],
)
def test_schema_describes_the_field(
    schema: dict[str, Any], name: str, type_name: str, readonly: bool | None, required: bool | None
) -> None:
    """None leaves open what this installation decides."""
    field = schema["fields"][name]
    assert field["type"] == type_name
    assert readonly in {None, field["readonly"]}
    assert required in {None, field["required"]}


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("jobs", NO_DEFAULT),
        ("status", NO_DEFAULT),
        ("affinities", []),
        ("allow_multimount", False),
        ("media", None),
        ("meta", {}),
        ("name", None),
        ("size", None),
        ("storage_type", None),
    ],
)
def test_schema_tells_the_default(schema: dict[str, Any], name: str, default: Any) -> None:
    assert schema["fields"][name]["default"] == default


def test_schema_tells_the_choices(schema: dict[str, Any]) -> None:
    choices = {
        name: field["choices"] for name, field in schema["fields"].items() if "choices" in field
    }
    assert choices == {
        "affinities": ["ssd"],
        "media": ["cdrom", "disk"],
        "storage_type": ["dssd", "nvme", "zadara"],
    }


def test_schema_tells_the_types_inside_runtime(schema: dict[str, Any]) -> None:
    fields = schema["fields"]["runtime"]["fields"]
    assert {name: field["type"] for name, field in fields.items()} == {
        "is_downloadable": "boolean",
        "is_ephemeral": "boolean",
        "is_snapshotable": "boolean",
        "snapshots_allocated_size": "integer",
        "storage_type": "string",
    }


def test_schema_is_for_every_user(stranger_api: APIClient, anonymous_api: APIClient) -> None:
    assert stranger_api.get(SCHEMA).status_code == 200
    assert anonymous_api.get(SCHEMA).status_code == 401
