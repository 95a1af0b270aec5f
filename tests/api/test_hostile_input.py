"""Input that tries to break the service: half characters, hidden bodies, forged lines."""

import logging

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


def test_meta_is_bounded_as_a_whole(api: APIClient) -> None:
    meta = {f"key{number}": "x" * 1000 for number in range(40)}
    body = {"name": "x", "size": 536870912, "media": "disk", "meta": meta}
    response = api.post(DRIVES, body)
    assert (response.status_code, faults_of(response)) == (400, [("validation", "meta")])


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


def test_console_line_cannot_be_forged() -> None:
    record = logging.makeLogRecord({"msg": "request", "path": "/x\nERROR forged \x1b[31m"})
    line = ConsoleFormatter().format(record)
    assert "\n" not in line
    assert "\x1b" not in line
