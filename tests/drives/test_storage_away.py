"""A storage host whose folder is missing stops nobody but those who need it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Upload
from tests.factories import GIB, DriveFactory
from tests.wire import API, faults_of

NEW = {"name": "new", "size": GIB, "media": "disk"}


@pytest.fixture
def lost(storage: Path, owner: User) -> Callable[[str], None]:
    """Let the folder of a host vanish, as when its disk is unmounted."""

    def vanish(host: str) -> None:
        DriveFactory(owner=owner, storage_host=host)
        (storage / host).rename(storage / f"{host}-away")

    return vanish


@pytest.mark.parametrize("host", ["nvme-1", "dssd-1"])
def test_drive_is_made_elsewhere(api: APIClient, lost: Callable[[str], None], host: str) -> None:
    lost(host)
    answer = api.post(f"{API}/drives/", NEW)
    assert answer.status_code == 201
    assert answer.json()["objects"][0]["storage_type"] == "dssd"


def test_drive_is_cloned_elsewhere(
    api: APIClient, owner: User, lost: Callable[[str], None], run_jobs: Callable[[], None]
) -> None:
    drive = DriveFactory(owner=owner, storage_host="dssd-2")
    lost("dssd-1")
    clone: Any = api.post(f"{API}/drives/{drive.pk}/action/?do=clone").json()["objects"][0]
    run_jobs()
    assert api.get(clone["resource_uri"]).json()["status"] == "unmounted"


def test_missing_storage_is_told_to_who_needs_it(
    api: APIClient, lost: Callable[[str], None]
) -> None:
    lost("nvme-1")
    answer = api.post(f"{API}/drives/", NEW | {"storage_type": "nvme"})
    assert (answer.status_code, faults_of(answer)) == (503, [("backend", None)])
    assert answer.json()[0]["error_message"] == "No nvme storage answers now."


def test_lack_of_space_is_not_told_as_silence_of_a_host_that_is_away(
    api: APIClient, owner: User, lost: Callable[[str], None]
) -> None:
    source = DriveFactory(owner=owner, storage_host="dssd-1", image=b"data")
    coming = DriveFactory(owner=owner, storage_host="dssd-1", status="uploading")
    Upload.objects.create(drive=coming, length=2**62, size=GIB)
    lost("dssd-2")
    answer = api.post(f"{API}/drives/{source.pk}/action/?do=clone")
    assert (answer.status_code, faults_of(answer)) == (503, [("backend", None)])
    assert "There is not enough space on dssd storage" in answer.json()[0]["error_message"]


def test_drive_whose_storage_is_missing_does_not_grow(
    api: APIClient, owner: User, lost: Callable[[str], None]
) -> None:
    """How large it may be is not known then."""
    drive = DriveFactory(owner=owner, storage_host="nvme-1")
    lost("nvme-1")
    path = f"{API}/drives/{drive.pk}/action/?do=resize"
    answer = api.post(path, {"size": 1024 * 1024 * GIB})
    assert (answer.status_code, faults_of(answer)) == (503, [("backend", None)])
    assert api.get(f"{API}/drives/{drive.pk}/").json()["status"] == "unmounted"


def test_overview_tells_which_storage_does_not_answer(
    owner: User, lost: Callable[[str], None], client: Any
) -> None:
    lost("nvme-1")
    client.force_login(owner)
    assert "does not answer" in client.get("/").content.decode()
