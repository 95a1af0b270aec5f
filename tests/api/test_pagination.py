import json

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from tests.wire import API, faults_of

DRIVES = f"{API}/drives/"


def make_drives(owner: User, count: int) -> list[str]:
    """Make rows without images and return their uuids, oldest first."""
    drives = Drive.objects.bulk_create(
        Drive(
            owner=owner,
            name=f"disk-{i}",
            media=Drive.Media.DISK,
            size=1024**3,
            status=Drive.Status.UNMOUNTED,
            storage_host="dssd-1",
            storage_type="dssd",
        )
        for i in range(count)
    )
    return [str(drive.pk) for drive in drives]


def page(api: APIClient, query: str) -> tuple[dict[str, int], list[str]]:
    response = api.get(f"{DRIVES}?{query}")
    assert response.status_code == 200
    body = json.loads(response.getvalue())
    assert set(body) == {"meta", "objects"}
    return body["meta"], [item["uuid"] for item in body["objects"]]


def test_list_shows_twenty_unless_asked(api: APIClient, owner: User) -> None:
    uuids = make_drives(owner, 25)
    assert page(api, "") == ({"limit": 20, "offset": 0, "total_count": 25}, uuids[:20])


def test_list_shows_the_window_asked_for(api: APIClient, owner: User) -> None:
    uuids = make_drives(owner, 5)
    meta, shown = page(api, "limit=2&offset=3")
    assert meta == {"limit": 2, "offset": 3, "total_count": 5}
    assert shown == uuids[3:]


def test_list_of_nothing_is_empty(api: APIClient) -> None:
    assert page(api, "") == ({"limit": 20, "offset": 0, "total_count": 0}, [])


def test_offset_behind_the_end_is_an_empty_page(api: APIClient, owner: User) -> None:
    make_drives(owner, 2)
    meta = {"limit": 20, "offset": 10**9, "total_count": 2}
    assert page(api, f"offset={10**9}") == (meta, [])


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1001])
def test_limit_zero_lists_all(api: APIClient, owner: User, count: int) -> None:
    uuids = make_drives(owner, count)
    meta = {"limit": 0, "offset": 0, "total_count": count}
    assert page(api, "limit=0") == (meta, uuids)


def test_limit_zero_is_streamed(api: APIClient, owner: User) -> None:
    make_drives(owner, 3)
    response = api.get(f"{DRIVES}detail/?limit=0")
    assert response.streaming
    assert response["Content-Type"] == "application/json; charset=utf-8"


def test_limit_zero_goes_with_offset_filter_and_order(api: APIClient, owner: User) -> None:
    uuids = make_drives(owner, 4)
    _, shown = page(api, "limit=0&offset=1&name=disk-0,disk-2,disk-3&order_by=-name")
    assert shown == [uuids[2], uuids[0]]


def test_limit_zero_of_jobs_has_the_form_of_a_list(api: APIClient) -> None:
    response = api.get(f"{API}/jobs/?limit=0")
    meta = {"limit": 0, "offset": 0, "total_count": 0}
    assert json.loads(response.getvalue()) == {"meta": meta, "objects": []}


@pytest.mark.parametrize("parameter", ["limit", "offset"])
@pytest.mark.parametrize(
    "value", ["-1", "x", "1.5", "", str(10**30), str(2**63), "+1", "1e3", "%EF%BC%91", "1,2"]
)
def test_nonsense_is_refused_by_name(api: APIClient, parameter: str, value: str) -> None:
    response = api.get(f"{DRIVES}?{parameter}={value}")
    assert response.status_code == 400
    assert faults_of(response) == [("validation", parameter)]


@pytest.mark.parametrize("value", ["-1", "x", str(10**30)])
def test_nonsense_offset_of_a_stream_is_refused(api: APIClient, value: str) -> None:
    response = api.get(f"{DRIVES}?limit=0&offset={value}")
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "offset")]


@pytest.mark.parametrize("query", [f"limit={2**62}", f"offset={2**62}", f"limit=0&offset={2**62}"])
def test_largest_numbers_reach_the_database_unharmed(api: APIClient, query: str) -> None:
    assert page(api, query)[1] == []
