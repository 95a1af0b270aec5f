"""The clock stands at the edge: it shows one moment."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from tests.factories import DriveFactory
from tests.wire import API

MOMENT = datetime(2014, 6, 5, 9, 45, 56, tzinfo=UTC)


@pytest.fixture
def source(owner: User) -> Drive:
    return DriveFactory(owner=owner, name="test_drive_x")


def clone(api: APIClient, drive: Drive, **wishes: str) -> str:
    response = api.post(f"{API}/drives/{drive.pk}/action/?do=clone", wishes)
    assert response.status_code == 202
    return response.json()["objects"][0]["name"]


@pytest.mark.parametrize(
    ("naming", "names"),
    [
        ("NONE", ["test_drive_x"] * 3),
        ("COUNTER", ["test_drive_x_1", "test_drive_x_2", "test_drive_x_3"]),
        (
            "DATE",
            [
                "test_drive_x-2014-06-05",
                "test_drive_x-2014-06-05_1",
                "test_drive_x-2014-06-05_2",
            ],
        ),
        (
            "TIMESTAMP",
            [
                "test_drive_x-2014-06-05 09:45:56",
                "test_drive_x-2014-06-05 09:45:56_1",
                "test_drive_x-2014-06-05 09:45:56_2",
            ],
        ),
    ],
)
def test_profile_names_the_clones(
    api: APIClient,
    source: Drive,
    monkeypatch: pytest.MonkeyPatch,
    naming: str,
    names: list[str],
) -> None:
    api.put(f"{API}/profile/", {"clone_naming": naming})
    monkeypatch.setattr(timezone, "now", lambda: MOMENT)
    assert [clone(api, source) for _ in names] == names


def test_given_name_wins(api: APIClient, source: Drive) -> None:
    api.put(f"{API}/profile/", {"clone_naming": "COUNTER"})
    assert clone(api, source, name="test_drive_y") == "test_drive_y"


def test_names_of_others_do_not_count(api: APIClient, source: Drive, stranger: User) -> None:
    DriveFactory(owner=stranger, name="test_drive_x_1")
    api.put(f"{API}/profile/", {"clone_naming": "COUNTER"})
    assert clone(api, source) == "test_drive_x_1"


def test_name_that_looks_like_a_pattern_is_none(api: APIClient, owner: User) -> None:
    source = DriveFactory(owner=owner, name="100%_")
    DriveFactory(owner=owner, name="100 x_1")
    api.put(f"{API}/profile/", {"clone_naming": "COUNTER"})
    assert [clone(api, source) for _ in range(2)] == ["100%__1", "100%__2"]


def test_longest_name_still_gets_its_counter(api: APIClient, owner: User) -> None:
    source = DriveFactory(owner=owner, name="x" * 255)
    api.put(f"{API}/profile/", {"clone_naming": "COUNTER"})
    assert [clone(api, source) for _ in range(2)] == ["x" * 253 + "_1", "x" * 253 + "_2"]
