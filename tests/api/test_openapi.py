"""The OpenAPI document: committed, valid, complete, and what GET answers in full."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from rest_framework.test import APIClient

from accounts.models import User
from cloudjobs.openapi import document
from tests.addresses import UUID, api_paths, filled_path, make_everything

COMMITTED = Path(settings.BASE_DIR) / "docs" / "openapi.yaml"
NO_ACTIONS = {f"/api/2.0/{each}/{UUID}/action/" for each in ("keypairs", "pubkeys", "tags")}


def test_committed_document_is_the_one_that_is_served(tmp_path: Path) -> None:
    made = tmp_path / "openapi.yaml"
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(made))
    assert made.read_text() == COMMITTED.read_text(), "make openapi renews docs/openapi.yaml"


def test_document_is_valid() -> None:
    validate(yaml.safe_load(COMMITTED.read_text()))


@pytest.mark.parametrize(("form", "read"), [("", yaml.safe_load), ("?format=json", json.loads)])
def test_anybody_may_read_it(db: None, client: Client, form: str, read: Any) -> None:
    response = client.get(f"/api/schema/{form}", headers={"accept": "text/html"})
    assert read(response.content)["paths"] == document()["paths"]


def test_it_names_every_address() -> None:
    assert {*map(filled_path, document()["paths"])} == set(api_paths()) - NO_ACTIONS


def test_it_names_every_method(api: APIClient, owner: User, storage: Path) -> None:
    make_everything(owner)
    for path, operations in document()["paths"].items():
        allowed = set(api.options(filled_path(path))["Allow"].lower().split(", "))
        assert (path, allowed - {"head", "options"}) == (path, set(operations))


def test_every_operation_is_told_in_words() -> None:
    for operations in document()["paths"].values():
        for operation in operations.values():
            assert operation["summary"]
            for each in operation.get("parameters", []):
                assert "$ref" in each or each["description"], operation["operationId"]


def test_answers_without_fields_are_whole(api: APIClient, owner: User, storage: Path) -> None:
    """`fields` may leave anything out, so the document alone would let anything be missing."""
    make_everything(owner)
    whole = without_parts(document())
    for path, operations in whole["paths"].items():
        answer = operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        if "application/json" in answer and "chunk" not in operations["get"]["operationId"]:
            schema = {**answer["application/json"]["schema"], "components": whole["components"]}
            OAS31Validator(schema).validate(api.get(filled_path(path)).json())


def without_parts(told: Any) -> Any:
    """Return the document without what `fields` makes of the answers."""
    if isinstance(told, list):
        return [without_parts(each) for each in told]
    if not isinstance(told, dict):
        return deepcopy(told)
    if "anyOf" in told and any("/Partial" in str(each.get("$ref")) for each in told["anyOf"]):
        return without_parts(told["anyOf"][0])
    return {name: without_parts(each) for name, each in told.items()}


def test_page_of_the_document_needs_no_login_and_little_of_the_policy(client: Client) -> None:
    response = client.get("/api/docs/")
    assert response.status_code == 200
    policy = response["Content-Security-Policy"]
    policy = f"{policy};"
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "img-src 'self' data:" in policy
