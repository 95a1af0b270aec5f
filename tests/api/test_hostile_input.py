"""Input that tries to break the service: half characters, hidden bodies, forged lines."""

import gzip
import logging
import time
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from cloudjobs.logs import ConsoleFormatter
from tests.wire import faults_of

DRIVES = "/api/2.0/drives/"


@pytest.mark.parametrize(
    ("field", "point"),
    [
        ('"media": "\\ud800"', "media"),
        ('"media": "disk", "affinities": ["\\ud800"]', "affinities.0"),
        ('"media": "disk", "meta": {"\\ud800": 5}', "meta.\\ud800"),
    ],
)
def test_half_of_a_surrogate_pair_is_a_fault(api: APIClient, field: str, point: str) -> None:
    body = f'{{"name": "x", "size": 536870912, {field}}}'
    response = api.generic("POST", DRIVES, body, content_type="application/json")
    assert (response.status_code, faults_of(response)) == (400, [("validation", point)])


def test_whole_surrogate_pair_is_a_character(api: APIClient) -> None:
    body = '{"name": "\\ud83d\\udcbe", "size": 536870912, "media": "disk"}'
    response = api.generic("POST", DRIVES, body, content_type="application/json")
    assert response.json()["objects"][0]["name"] == "\U0001f4be"


def test_chunked_body_is_refused_and_not_taken_for_an_empty_one(api: APIClient) -> None:
    response = api.generic("POST", DRIVES, "", HTTP_TRANSFER_ENCODING="chunked")
    assert response.status_code == 411
    assert faults_of(response) == [("validation", "Content-Length")]


@pytest.mark.parametrize("kind", ["application/json", "application/octet-stream"])
@pytest.mark.parametrize("encoding", ["gzip", "DEFLATE", "br, gzip", "identity, gzip"])
def test_packed_body_is_refused_unread(api: APIClient, kind: str, encoding: str) -> None:
    bomb = gzip.compress(b"[" * 10_000_000)
    path = DRIVES if kind == "application/json" else f"{DRIVES}upload/"
    response = api.generic("POST", path, bomb, kind, headers={"content-encoding": encoding})
    assert (response.status_code, faults_of(response)) == (
        415,
        [("validation", "Content-Encoding")],
    )
    assert response["Accept-Encoding"] == "identity"


def test_body_that_is_said_to_be_plain_is_read(api: APIClient) -> None:
    body = '{"name": "x", "size": 536870912, "media": "disk"}'
    plain = {"content-encoding": "identity"}
    response = api.generic("POST", DRIVES, body, "application/json", headers=plain)
    assert response.status_code == 201


@pytest.mark.parametrize(
    "bomb",
    [
        "[" * 1_000_000,
        '{"a":' * 200_000,
        f"[{'{},' * 600_000}{{}}]",
        f'{{"objects": [{"{}," * 600_000}{{}}]}}',
        f'{{"size": {"9" * 1_000_000}}}',
        f'{{"name": "{"x" * 3_000_000}"}}',
    ],
    ids=["deep list", "deep object", "long list", "long objects", "long number", "long text"],
)
def test_json_that_grows_is_a_fault(api: APIClient, bomb: str) -> None:
    began = time.monotonic()
    response = api.generic("POST", DRIVES, bomb, content_type="application/json")
    assert response.status_code in {400, 413}
    assert len(response.content) < 10_000
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("number", ["1e999", "-1e999"])
@pytest.mark.parametrize("field", ["size", "meta"])
def test_number_beyond_all_bounds_is_a_fault(api: APIClient, field: str, number: str) -> None:
    value = f'{{"a": {number}}}' if field == "meta" else number
    given = {"name": '"x"', "size": "536870912", "media": '"disk"', field: value}
    body = "{" + ", ".join(f'"{name}": {text}' for name, text in given.items()) + "}"
    response = api.generic("POST", DRIVES, body, content_type="application/json")
    assert response.status_code == 400
    assert faults_of(response)[0][0] == "validation"


def test_meta_is_bounded_as_a_whole(api: APIClient) -> None:
    meta = {f"key{number}": "x" * 1000 for number in range(40)}
    body = {"name": "x", "size": 536870912, "media": "disk", "meta": meta}
    response = api.post(DRIVES, body)
    assert (response.status_code, faults_of(response)) == (400, [("validation", "meta")])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{DRIVES}{uuid4()}/action/?do=clone", {f"key{number}": 1 for number in range(50_000)}),
        (DRIVES, {"meta": {f"key{number}": 1 for number in range(50_000)}}),
        (DRIVES, {"meta": {f"key{number}": 1 for number in range(200)}}),
    ],
    ids=["unknown fields", "keys", "values"],
)
def test_answer_names_no_more_faults_than_anybody_reads(
    api: APIClient, path: str, body: Any
) -> None:
    response = api.post(path, body)
    assert response.status_code == 400
    assert 1 <= len(response.json()) <= 100


@pytest.mark.parametrize("parameter", ["name", "name__contains", "uuid"])
def test_filter_with_very_many_values_is_refused(api: APIClient, parameter: str) -> None:
    response = api.get(DRIVES, {parameter: ",".join(["a"] * 1200)})
    assert (response.status_code, faults_of(response)) == (400, [("validation", parameter)])


def test_very_long_filter_finds_nothing(api: APIClient) -> None:
    response = api.get(DRIVES, {"name__contains": "x" * 60_000})
    assert response.json()["objects"] == []


def test_session_cookie_with_a_nul_is_no_session(anonymous_api: APIClient) -> None:
    anonymous_api.cookies["sessionid"] = "\0\0\0\0\0\0\0\0x"
    assert anonymous_api.get(DRIVES).status_code == 401


def test_console_line_calls_the_request_as_the_others_do() -> None:
    record = logging.makeLogRecord({"msg": "request", "correlation_id": "5c1e9b3f"})
    assert ConsoleFormatter().format(record).endswith(" request request_id=5c1e9b3f")


def test_console_line_cannot_be_forged() -> None:
    record = logging.makeLogRecord({"msg": "request", "path": "/x\nERROR forged \x1b[31m"})
    line = ConsoleFormatter().format(record)
    assert "\n" not in line
    assert "\x1b" not in line


def test_foreign_host_is_one_line_of_the_log(
    anonymous_api: APIClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert anonymous_api.get(DRIVES, headers={"host": "evil.example"}).status_code == 400
    (line,) = [one for one in caplog.records if one.name == "django.security.DisallowedHost"]
    assert line.exc_info is None
