"""Snapshots and the library: neither has the other."""

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from cloudjobs.api.exceptions import Refused
from drives.library.actions import move_to_library
from drives.models import Snapshot
from tests.conftest import Unchanged, client_of
from tests.factories import DriveFactory, LibraryEntryFactory, SnapshotFactory
from tests.wire import API, faults_of


@pytest.mark.parametrize("email", ["user@example.com", "operator@example.com"])
def test_no_snapshot_is_taken_of_the_library(db: None, unchanged: Unchanged, email: str) -> None:
    make = User.objects.create_superuser if "operator" in email else User.objects.create_user
    api = client_of(make(email, "secret"))
    entry = LibraryEntryFactory()
    with unchanged():
        response = api.post(f"{API}/snapshots/", {"drive": str(entry.pk)})
    assert response.status_code == 403
    assert faults_of(response) == [("permission", "drive")]
    assert "clone it instead" in response.json()[0]["error_message"]


def test_drive_of_the_library_says_so(api: APIClient) -> None:
    entry = LibraryEntryFactory()
    shown = api.get(f"{API}/drives/{entry.pk}/").json()
    assert (shown["snapshots"], shown["runtime"]["is_snapshotable"]) == ([], False)


@pytest.mark.parametrize("status", Snapshot.Status.values)
def test_drive_with_a_snapshot_stays_with_its_owner(
    owner: User, unchanged: Unchanged, status: str
) -> None:
    snapshot = SnapshotFactory(owner=owner, status=status)
    with unchanged(), pytest.raises(Refused, match="has snapshots") as refusal:
        move_to_library(snapshot.drive_id)
    assert refusal.value.point == "snapshots"


def test_drive_moves_once_its_snapshots_are_gone(owner: User) -> None:
    snapshot = SnapshotFactory(owner=owner)
    DriveFactory(owner=owner)
    snapshot.delete()
    assert move_to_library(snapshot.drive_id).drive.owner is None


def test_clones_avoid_the_hosts_of_the_library(api: APIClient, owner: User) -> None:
    snapshot = SnapshotFactory(owner=owner)
    entry = LibraryEntryFactory(drive__storage_host="dssd-2")
    for avoided, host in ((snapshot.pk, "dssd-2"), (entry.pk, "dssd-1")):
        uri = f"{API}/snapshots/{snapshot.pk}/action/?do=clone&avoid={avoided}"
        clone = api.post(uri, {}).json()["uuid"]
        assert owner.drives.get(pk=clone).storage_host == host
