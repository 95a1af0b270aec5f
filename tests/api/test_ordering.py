from itertools import chain

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from tests.factories import DriveFactory
from tests.wire import API, faults_of


def uuids(api: APIClient, query: str) -> list[str]:
    response = api.get(f"{API}/drives/?{query}")
    assert response.status_code == 200
    return [item["uuid"] for item in response.json()["objects"]]


@pytest.fixture
def drives(owner: User) -> list[Drive]:
    return [DriveFactory(owner=owner, name=name) for name in ("b", "c", "a")]


def test_drives_are_listed_oldest_first(api: APIClient, drives: list[Drive]) -> None:
    assert uuids(api, "") == [str(drive.pk) for drive in drives]


@pytest.mark.parametrize(("order", "expected"), [("name", "abc"), ("-name", "cba")])
def test_order_by_name(api: APIClient, drives: list[Drive], order: str, expected: str) -> None:
    by_name = {drive.name: str(drive.pk) for drive in drives}
    assert uuids(api, f"order_by={order}") == [by_name[name] for name in expected]


def test_order_by_uuid(api: APIClient, drives: list[Drive]) -> None:
    ascending = sorted(str(drive.pk) for drive in drives)
    assert uuids(api, "order_by=uuid") == ascending
    assert uuids(api, "order_by=-uuid") == ascending[::-1]


@pytest.mark.parametrize("order", ["name", "-name"])
def test_ties_are_broken_by_uuid_so_that_pages_do_not_overlap(
    api: APIClient, owner: User, order: str
) -> None:
    same = DriveFactory.create_batch(7, owner=owner, name="same")
    pages = [uuids(api, f"order_by={order}&limit=2&offset={i}") for i in range(0, 7, 2)]
    assert list(chain(*pages)) == sorted(str(drive.pk) for drive in same)


@pytest.mark.parametrize(
    "order", ["size", "--name", "-", "name,uuid", "owner__password", "pk", "?", "%00", "name "]
)
def test_field_that_cannot_order_is_refused(api: APIClient, order: str) -> None:
    response = api.get(f"{API}/drives/", {"order_by": order})
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "order_by")]
