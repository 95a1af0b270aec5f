from urllib.parse import quote

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from tests.factories import DriveFactory
from tests.wire import API


@pytest.fixture
def names(owner: User) -> list[str]:
    """Make drives of these names."""
    names = ["Alpha", "alpha beta", "beta", "a,b", "back\\slash", "100%", "under_score"]
    for name in names:
        DriveFactory(owner=owner, name=name)
    return names


def found(api: APIClient, query: str) -> list[str]:
    response = api.get(f"{API}/drives/?fields=name&{query}")
    assert response.status_code == 200
    body = response.json()
    assert body["meta"]["total_count"] == len(body["objects"])
    return [item["name"] for item in body["objects"]]


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name=beta", ["beta"]),
        ("name=BETA", []),
        ("name=beta,Alpha", ["Alpha", "beta"]),
        ("name__contains=alpha", ["Alpha", "alpha beta"]),
        ("name__contains=BETA", ["alpha beta", "beta"]),
        ("name__contains=alpha&name__contains=beta", ["alpha beta"]),
        ("name__contains=alpha,beta", ["Alpha", "alpha beta", "beta"]),
        ("name__contains=alpha,beta&name__contains=beta", ["alpha beta", "beta"]),
        ("name=Alpha&name=beta", []),
        ("name=Alpha,beta&name__contains=bet", ["beta"]),
        ("name=a\\,b", ["a,b"]),
        ("name=a,b", []),
        ("name=back\\\\slash", ["back\\slash"]),
        ("name=back\\\\slash,a\\,b", ["a,b", "back\\slash"]),
        ("name__contains=%25", ["100%"]),
        ("name__contains=_", ["under_score"]),
        ("name__contains=\\\\", ["back\\slash"]),
        ("name=", []),
        ("name=,", []),
        ("name=,beta,", ["beta"]),
        ("name=beta\\", ["beta"]),
        ("name=a%00b", []),
        ("name=a%00b,beta", ["beta"]),
        ("name__contains=%00", []),
        ("name=%ED%A0%80", []),
        ("name=" + quote("💾"), []),
        ("name__contains=" + "x" * 5000, []),
        ("uuid=not-a-uuid", []),
        ("uuid=%00", []),
    ],
)
def test_filter_finds(api: APIClient, query: str, expected: list[str]) -> None:
    assert found(api, query) == expected


@pytest.mark.parametrize(
    "query", ["colour=red", "name__regex=%5E(", "owner=x", "owner__email=x", "pk=x", "status=x"]
)
def test_parameter_that_is_no_filter_is_ignored(
    api: APIClient, names: list[str], query: str
) -> None:
    assert found(api, query) == names


def test_filter_by_uuid(api: APIClient, owner: User) -> None:
    first, second, _ = DriveFactory.create_batch(3, owner=owner)
    assert found(api, f"uuid={first.pk},{second.pk}") == [first.name, second.name]
    assert found(api, f"uuid={first.pk}&uuid={second.pk}") == []


def test_filter_does_not_reach_the_drives_of_others(api: APIClient, stranger: User) -> None:
    foreign = DriveFactory(owner=stranger)
    assert found(api, f"uuid={foreign.pk}") == []
    assert found(api, f"name={foreign.name}") == []


def test_filter_matches_an_emoji(api: APIClient, owner: User) -> None:
    DriveFactory(owner=owner, name="💾 disk")
    assert found(api, "name__contains=" + quote("💾")) == ["💾 disk"]
