from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.wire import API

SCHEMA = f"{API}/jobs/schema/"


def test_schema_describes_the_resource(api: APIClient) -> None:
    schema = api.get(SCHEMA).json()
    fields = schema.pop("fields")
    assert schema == {
        "allowed_detail_http_methods": ["get"],
        "allowed_list_http_methods": ["get"],
        "default_format": "application/json",
        "default_limit": 20,
        "filtering": {"state": 1},
        "ordering": ["-last_modified"],
    }
    assert {name: field["type"] for name, field in fields.items()} == {
        "children": "related",
        "created": "datetime",
        "data": "object",
        "last_modified": "datetime",
        "operation": "string",
        "resource_uri": "string",
        "resources": "list",
        "state": "string",
        "uuid": "string",
    }


def test_schema_describes_each_field_alike(api: APIClient) -> None:
    types: dict[str, type[Any]] = {
        "blank": bool,
        "default": str,
        "help_text": str,
        "nullable": bool,
        "readonly": bool,
        "type": str,
        "unique": bool,
    }
    for name, field in api.get(SCHEMA).json()["fields"].items():
        assert {part: type(value) for part, value in field.items()} == types, name
        assert field["help_text"], name
        assert field["unique"] == (name == "uuid"), name


def test_schema_is_for_every_user(stranger_api: APIClient, anonymous_api: APIClient) -> None:
    assert stranger_api.get(SCHEMA).status_code == 200
    assert anonymous_api.get(SCHEMA).status_code == 401


@pytest.mark.parametrize("query", ["?fields=uuid", "?limit=x", "?order_by=x"])
def test_schema_takes_no_parameters(api: APIClient, query: str) -> None:
    response = api.get(SCHEMA + query)
    assert response.status_code == 200
    assert len(response.json()["fields"]) == 9
