"""The clock stands at the edge: it shows one moment."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from servers.models import Server
from tests.factories import MountFactory, ServerFactory
from tests.wire import API

MOMENT = datetime(2014, 6, 5, 9, 45, 56, tzinfo=UTC)


@pytest.fixture
def source(owner: User) -> Server:
    """A server x with two disks, y and y."""
    server = ServerFactory(owner=owner, name="x")
    for unit in range(2):
        MountFactory(server=server, dev_channel=f"0:{unit}", drive__name="y")
    return server


def clone(api: APIClient, server: Server, **wishes: Any) -> list[str]:
    """Clone the server and return the clone's name, and those of its drives."""
    response = api.post(f"{API}/servers/{server.pk}/action/?do=clone", wishes)
    assert response.status_code == 202
    body = response.json()
    drives = [Drive.objects.get(pk=one["drive"]["uuid"]) for one in body["drives"]]
    return [body["name"], *(drive.name for drive in drives)]


@pytest.mark.parametrize(
    ("naming", "first", "second"),
    [
        ("NONE", ["x", "y", "y"], ["x", "y", "y"]),
        ("COUNTER", ["x_1", "y_1", "y_2"], ["x_2", "y_3", "y_4"]),
        (
            "DATE",
            ["x-2014-06-05", "y-2014-06-05", "y-2014-06-05_1"],
            ["x-2014-06-05_1", "y-2014-06-05_2", "y-2014-06-05_3"],
        ),
        (
            "TIMESTAMP",
            ["x-2014-06-05 09:45:56", "y-2014-06-05 09:45:56", "y-2014-06-05 09:45:56_1"],
            ["x-2014-06-05 09:45:56_1", "y-2014-06-05 09:45:56_2", "y-2014-06-05 09:45:56_3"],
        ),
    ],
)
def test_profile_names_the_clone_and_its_drives(
    api: APIClient,
    source: Server,
    monkeypatch: pytest.MonkeyPatch,
    naming: str,
    first: list[str],
    second: list[str],
) -> None:
    api.put(f"{API}/profile/", {"clone_naming": naming})
    monkeypatch.setattr(timezone, "now", lambda: MOMENT)
    assert [clone(api, source), clone(api, source)] == [first, second]


def test_given_name_is_the_servers_only(api: APIClient, source: Server) -> None:
    api.put(f"{API}/profile/", {"clone_naming": "COUNTER"})
    assert clone(api, source, name="z") == ["z", "y_1", "y_2"]


def test_names_of_others_and_of_drives_do_not_count(
    api: APIClient, source: Server, stranger: User
) -> None:
    ServerFactory(owner=stranger, name="x_1")
    Drive.objects.update(name="x_1")
    api.put(f"{API}/profile/", {"clone_naming": "COUNTER"})
    assert clone(api, source) == ["x_1", "x_2", "x_3"]
