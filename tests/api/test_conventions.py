"""What every address of the API has in common, asked of each one in the URL table."""

import gzip
import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.http.response import HttpResponseBase
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from tests.addresses import UUID, api_paths, make_everything
from tests.wire import faults_of

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
DOWNLOAD = f"/api/2.0/drives/{UUID}/download/"
CHUNKS = f"/api/2.0/drives/{UUID}/upload/"
RAW = {CHUNKS, "/api/2.0/drives/upload/", "/api/2.0/drives/upload/name/"}  # take bytes, not JSON
ACTIONS: dict[str, list[str]] = {
    "accounts": ["login"],
    "drives": ["clone", "resize", "upload_chunk"],
    "jobs": [],  # nothing is said with cancel and retry
    "keypairs": [],  # nothing can be done with these
    "libdrives": ["clone"],
    "pubkeys": [],
    "servers": ["clone"],
    "snapshots": ["clone"],
    "tags": [],
}
BODIES = [b"", b"{}", b"[]", b"null", b"1", b'"x"', b"[[]]", b"[null]", b'{"objects": 1}']
BODIES += [b'{"objects": [{}]}', b'{"objects": ["x"]}', b'{"name": {}}', b"{", b"\xff"]

every_path = pytest.mark.parametrize("path", api_paths())


@pytest.fixture(autouse=True)
def something(storage: Path, owner: User) -> None:
    make_everything(owner)


def allowed_at(api: APIClient, path: str) -> set[str]:
    return set(api.options(path)["Allow"].split(", ")) - {"OPTIONS"}


def bodied(api: APIClient, path: str) -> list[tuple[str, str]]:
    """Return method and address of each request that carries JSON to this path."""
    if path in RAW:
        return []
    methods = sorted(allowed_at(api, path) & {"POST", "PUT"})
    if path.endswith("/action/"):
        return [("POST", f"{path}?do={name}") for name in ACTIONS[path.split("/")[3]]]
    return [(method, path) for method in methods]


def is_shown(path: str, api: APIClient) -> bool:
    """Is there something to be read, as text?"""
    return "GET" in allowed_at(api, path) and path not in {DOWNLOAD, CHUNKS}


def content(response: HttpResponseBase) -> bytes:
    return response.getvalue()  # type: ignore[attr-defined]


@every_path
def test_options_tell_what_is_allowed(api: APIClient, path: str) -> None:
    response = api.options(path)
    assert response.status_code == 200
    allowed = allowed_at(api, path)
    assert allowed
    assert ("GET" in allowed) == ("HEAD" in allowed)


@every_path
def test_what_is_not_allowed_is_refused(api: APIClient, path: str) -> None:
    allowed = allowed_at(api, path)
    for method in METHODS - allowed - {"HEAD"}:
        response = api.generic(method, path)
        assert (method, response.status_code) == (method, 405)
        assert faults_of(response) == [("validation", None)]
        assert set(response["Allow"].split(", ")) - {"OPTIONS"} == allowed


@every_path
def test_head_is_a_get_without_body(api: APIClient, path: str) -> None:
    if "GET" not in allowed_at(api, path):
        assert api.head(path).status_code == 405
        return
    get, head = api.get(path), api.head(path)
    assert (head.status_code, content(head)) == (get.status_code, b"")
    for name in ("Content-Type", "Content-Length", "Content-Disposition", "Allow"):
        assert head.get(name) == get.get(name)
    get.close()


@every_path
def test_everything_is_there(api: APIClient, path: str) -> None:
    if is_shown(path, api):
        response = api.get(path)
        assert response.status_code == 200
        assert response["Content-Type"].startswith("application/json")
        json.loads(content(response))


@every_path
def test_form_that_there_is_not_is_refused(api: APIClient, path: str) -> None:
    for accept in ("application/xml", "image/*", "text/plain") if is_shown(path, api) else ():
        response = api.get(path, headers={"accept": accept})
        assert (accept, response.status_code) == (accept, 406)
        assert faults_of(response) == [("validation", None)]


@every_path
def test_json_is_the_default(api: APIClient, path: str) -> None:
    some = ("*/*", "application/*", "application/json;q=0.5", "")
    for accept in some if is_shown(path, api) else ():
        response = api.get(path, headers={"accept": accept})
        assert (accept, response.status_code) == (accept, 200)
        assert response["Content-Type"].startswith("application/json")


@every_path
def test_format_parameter_asks_for_json(api: APIClient, path: str) -> None:
    if is_shown(path, api):
        browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        assert api.get(path, headers=browser)["Content-Type"].startswith("text/html")
        shown = api.get(f"{path}?format=json", headers=browser)
        assert shown["Content-Type"].startswith("application/json")
        refused = api.get(f"{path}?format=xml")
        assert (refused.status_code, faults_of(refused)) == (404, [("notexist", None)])


@every_path
def test_answer_is_zipped_when_asked(api: APIClient, path: str) -> None:
    if is_shown(path, api):
        plain = api.get(path)
        zipped = api.get(path, headers={"accept-encoding": "gzip"})
        if zipped.streaming or len(plain.content) > 1000:  # what is short may not become shorter
            assert zipped["Content-Encoding"] == "gzip"
            assert "Accept-Encoding" in zipped["Vary"]
            assert gzip.decompress(content(zipped)) == content(plain)


@every_path
def test_other_content_types_are_refused(api: APIClient, path: str) -> None:
    for method, address in bodied(api, path):
        for content_type in ("text/plain", "application/xml", "multipart/form-data; boundary=x"):
            response = api.generic(method, address, b"{}", content_type=content_type)
            assert (address, response.status_code) == (address, 415)
            assert faults_of(response) == [("validation", None)]


@every_path
def test_body_is_bounded(api: APIClient, path: str, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = json.dumps({"meta": {"key": "x" * 1000}}).encode()
    for method, address in bodied(api, path):
        response = api.generic(method, address, body, content_type="application/json")
        assert (address, response.status_code) == (address, 413)
        assert faults_of(response) == [("validation", None)]


@every_path
def test_strange_body_is_answered(api: APIClient, path: str) -> None:
    for (method, address), body in product(bodied(api, path), BODIES):
        response: Any = api.generic(method, address, body, content_type="application/json")
        assert response.status_code < 500, (address, body)
        if response.status_code >= 400:
            assert faults_of(response)


@every_path
def test_missing_slash_is_redirected(api: APIClient, path: str) -> None:
    if is_shown(path, api):
        response = api.get(path.rstrip("/") + "?limit=3")
        assert (response.status_code, response["Location"]) == (301, f"{path}?limit=3")


@every_path
def test_errors_are_json_even_in_a_browser_that_asks_for_it(
    stranger_api: APIClient, path: str
) -> None:
    if UUID in path and path != f"/api/2.0/drives/upload/{UUID}/":
        response = stranger_api.get(path, headers={"accept": "application/json"})
        assert response.status_code in {404, 405}
        assert faults_of(response)
