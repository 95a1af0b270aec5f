from typing import Any

import pytest
from django.db import OperationalError, connection
from rest_framework.test import APIClient

from drives.models import Drive
from tests.wire import API, faults_of

DRIVES = f"{API}/drives/"
JSON = "application/json"


def post(api: APIClient, body: str | bytes, content_type: str = JSON) -> Any:
    return api.generic("POST", DRIVES, body, content_type=content_type)


def test_entry_names_type_message_and_point(api: APIClient) -> None:
    response = api.post(DRIVES, {"name": "a", "media": "disk"})
    assert response.status_code == 400
    assert response.json() == [
        {
            "error_type": "validation",
            "error_message": "This field is required.",
            "error_point": "size",
        }
    ]


def test_every_fault_has_its_entry(api: APIClient) -> None:
    response = api.post(DRIVES, {})
    assert sorted(faults_of(response)) == [
        ("validation", "media"),
        ("validation", "name"),
        ("validation", "size"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": ',
        b"no json",
        b'{"name": "a"} {"name": "b"}',
        b'{"size": NaN}',
        b'{"size": -Infinity}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"meta":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"size": ' + b"9" * 5000 + b"}",
    ],
    ids=lambda body: body[:20].decode(errors="replace"),
)
def test_body_that_is_no_json_is_refused(api: APIClient, body: bytes) -> None:
    response = post(api, body)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", None)]
    assert not Drive.objects.exists()


@pytest.mark.parametrize("depth", [100, 500, 900, 990, 2000, 9000])
def test_deeply_nested_value_is_a_fault_and_no_crash(api: APIClient, depth: int) -> None:
    nested = "[" * depth + "]" * depth
    response = post(api, f'{{"name":"a","size":1073741824,"media":{nested}}}')
    assert response.status_code == 400
    assert faults_of(response)[0][0] == "validation"


@pytest.mark.parametrize("body", ['"text"', "1", "null", "true", "[]", '{"objects": []}'])
def test_body_that_is_no_object_is_refused(api: APIClient, body: str) -> None:
    response = post(api, body)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "objects")]


def test_body_over_the_limit_is_refused(api: APIClient) -> None:
    response = post(api, b'{"name": "' + b"a" * 3 * 1024**2 + b'"}')
    assert response.status_code == 413
    assert faults_of(response) == [("validation", None)]


def test_unknown_content_type_is_refused(api: APIClient) -> None:
    response = post(api, "name=a", "application/x-www-form-urlencoded")
    assert response.status_code == 415
    assert faults_of(response) == [("validation", None)]


def test_accept_without_a_format_of_ours_is_refused(api: APIClient) -> None:
    response = api.get(DRIVES, headers={"accept": "application/xml"})
    assert response.status_code == 406
    assert faults_of(response) == [("validation", None)]


@pytest.mark.parametrize("accept", ["*/*", "application/*", "application/json, text/html"])
def test_json_is_what_an_open_accept_gets(api: APIClient, accept: str) -> None:
    response = api.get(DRIVES, headers={"accept": accept})
    assert response.status_code == 200
    assert response["Content-Type"].startswith("application/json")


@pytest.mark.parametrize(
    ("method", "path"),
    [("patch", "drives/"), ("put", "drives/"), ("post", "jobs/"), ("delete", "profile/")],
)
def test_method_that_is_not_there_is_405(api: APIClient, method: str, path: str) -> None:
    response = getattr(api, method)(f"{API}/{path}")
    assert response.status_code == 405
    assert faults_of(response) == [("validation", None)]
    assert "GET" in response["Allow"]


@pytest.mark.parametrize("path", ["nothing/", "drives/not-a-uuid/", "drives/1/action/", "jobs/1/"])
def test_unknown_address_is_404(api: APIClient, path: str) -> None:
    response = api.get(f"{API}/{path}")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("application/json")
    assert faults_of(response) == [("notexist", None)]


def test_unknown_address_outside_the_api_is_a_page(anonymous_api: APIClient) -> None:
    response = anonymous_api.get("/nothing/")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "drives/",
        "drives/detail/",
        "drives/schema/",
        "jobs/",
        "jobs/schema/",
        "profile/",
        "profile/schema/",
    ],
)
def test_anonymous_is_asked_for_basic_credentials(anonymous_api: APIClient, path: str) -> None:
    response = anonymous_api.get(f"{API}/{path}")
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Basic realm="cloudjobs"'
    assert faults_of(response) == [("permission", None)]


def test_database_that_is_away_is_503(api: APIClient, caplog: pytest.LogCaptureFixture) -> None:
    def away(*args: Any) -> None:
        raise OperationalError("database is locked")

    with connection.execute_wrapper(away):
        response = api.get(DRIVES)
    assert response.status_code == 503
    assert faults_of(response) == [("database", None)]
    assert response["Retry-After"] == "2"
    assert "database is locked" in caplog.text


def test_bug_is_told_without_its_details(api: APIClient) -> None:
    def break_down(*args: Any) -> None:
        raise ZeroDivisionError("secret detail")

    api.raise_request_exception = False
    with connection.execute_wrapper(break_down):
        response = api.get(DRIVES)
    assert response.status_code == 500
    assert faults_of(response) == [("backend", None)]
    assert b"secret" not in response.content


@pytest.mark.parametrize("query", ["", "?do=", "?do=nothing", "?do=serialize"])
def test_action_must_be_one_that_there_is(api: APIClient, query: str) -> None:
    uuid = "00000000-0000-4000-8000-000000000000"
    response = api.post(f"{DRIVES}{uuid}/action/{query}", {})
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "do")]
