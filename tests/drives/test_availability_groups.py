from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from tests.factories import DriveFactory
from tests.wire import API, assert_as_many, faults_of, queries_of

GROUPS = f"{API}/drives/availability_groups/"


@pytest.fixture
def drives(owner: User) -> list[Drive]:
    hosts = ("dssd-1", "dssd-2", "dssd-1", "zadara-1")
    return [DriveFactory(owner=owner, storage_host=host) for host in hosts]


def test_drives_are_grouped_by_their_host(api: APIClient, drives: list[Drive]) -> None:
    first, second, third, fourth = (str(drive.pk) for drive in drives)
    response = api.get(GROUPS)
    assert response.status_code == 200
    assert response.json() == [[first, third], [second], [fourth]]


def test_group_of_one_drive_has_its_neighbours(api: APIClient, drives: list[Drive]) -> None:
    first, second, third, _ = (str(drive.pk) for drive in drives)
    assert api.get(f"{GROUPS}{third}/").json() == [first, third]
    assert api.get(f"{GROUPS}{second}/").json() == [second]


def test_groups_hold_nothing_of_others(
    stranger_api: APIClient, stranger: User, drives: list[Drive]
) -> None:
    assert stranger_api.get(GROUPS).json() == []
    own = DriveFactory(owner=stranger, storage_host="dssd-1")
    assert stranger_api.get(f"{GROUPS}{own.pk}/").json() == [str(own.pk)]


def test_group_of_a_foreign_or_unknown_drive_is_not_there(
    stranger_api: APIClient, drives: list[Drive]
) -> None:
    for uuid in (drives[0].pk, uuid4(), "not-a-uuid"):
        response = stranger_api.get(f"{GROUPS}{uuid}/")
        assert response.status_code == 404
        assert faults_of(response) == [("notexist", None)]


def test_groups_are_not_for_anonymous(anonymous_api: APIClient, drives: list[Drive]) -> None:
    assert anonymous_api.get(GROUPS).status_code == 401
    assert anonymous_api.get(f"{GROUPS}{drives[0].pk}/").status_code == 401


def test_groups_cost_as_many_queries_for_two_as_for_twenty(api: APIClient, owner: User) -> None:
    DriveFactory.create_batch(2, owner=owner)
    few = queries_of(lambda: api.get(GROUPS))
    DriveFactory.create_batch(18, owner=owner)
    assert_as_many(few, queries_of(lambda: api.get(GROUPS)))
