"""Documented calls behind which there is nothing here: what they are answered with."""

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from tests.conftest import Unchanged
from tests.factories import GIB, DriveFactory, ServerFactory, TagFactory
from tests.wire import API, faults_of, server_json


@pytest.mark.parametrize("path", ["acls/", "acls/detail/", "acls/schema/"])
def test_there_are_no_access_lists(api: APIClient, path: str) -> None:
    response = api.get(f"{API}/{path}")
    assert (response.status_code, faults_of(response)) == (404, [("notexist", None)])


@pytest.mark.parametrize("do", ["open_vnc", "close_vnc", "open_console", "close_console"])
def test_server_has_no_screen(api: APIClient, owner: User, unchanged: Unchanged, do: str) -> None:
    server = ServerFactory(owner=owner)
    with unchanged():
        response = api.post(f"{API}/servers/{server.pk}/action/?do={do}", {})
    assert (response.status_code, faults_of(response)) == (400, [("validation", "do")])
    assert "clone, start, stop, shutdown" in response.json()[0]["error_message"]


@pytest.mark.parametrize("parts", [{"gpus": [{"model": "x"}]}, {"epcs": [{"size": GIB}]}])
def test_server_has_no_special_devices(
    api: APIClient, owner: User, parts: dict[str, object]
) -> None:
    server = ServerFactory(owner=owner)
    shown = api.get(f"{API}/servers/{server.pk}/").json()
    answer = api.put(f"{API}/servers/{server.pk}/", shown | parts)
    assert answer.json() == server_json(server)


@pytest.mark.parametrize("resource", ["drives", "servers", "snapshots", "tags", "keypairs"])
def test_lists_are_not_put(api: APIClient, resource: str) -> None:
    response = api.put(f"{API}/{resource}/", {"objects": []})
    assert (response.status_code, faults_of(response)) == (405, [("validation", None)])
    assert "put" not in api.get(f"{API}/{resource}/schema/").json()["allowed_list_http_methods"]


def test_address_has_no_tag(api: APIClient, owner: User, unchanged: Unchanged) -> None:
    tag, drive = TagFactory(owner=owner), DriveFactory(owner=owner)
    body = {"name": "new", "resources": [str(drive.pk), "203.0.113.7"]}
    with unchanged():
        response = api.put(f"{API}/tags/{tag.pk}/", body)
    assert (response.status_code, faults_of(response)) == (400, [("validation", "resources.1")])
