from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from tests.conftest import Unchanged
from tests.factories import GIB, DriveFactory
from tests.wire import API, drive_json, faults_of, runtime_json

DEFINITION = {"name": "new", "size": GIB, "media": "cdrom"}


@pytest.fixture
def drive(owner: User) -> Drive:
    return DriveFactory(owner=owner, meta={"old": "value"})


def path(drive: Drive) -> str:
    return f"{API}/drives/{drive.pk}/"


def being_resized(drive: Drive, **differing: Any) -> dict[str, Any]:
    runtime = runtime_json(drive.storage_type, downloadable=False, snapshotable=False)
    return drive_json(drive, status="resizing", runtime=runtime, **differing)


def test_name_and_media_change(api: APIClient, drive: Drive) -> None:
    response = api.put(path(drive), DEFINITION)
    assert response.status_code == 200
    assert response.json() == drive_json(drive, name="new", media="cdrom")
    assert api.get(path(drive)).json() == response.json()


def test_drive_whose_host_the_settings_lost_is_not_resized(
    api: APIClient, drive: Drive, unchanged: Unchanged
) -> None:
    Drive.objects.update(storage_host="gone")
    with unchanged():
        response = api.post(f"{path(drive)}action/?do=resize", {**DEFINITION, "size": 2 * GIB})
    assert (response.status_code, faults_of(response)) == (503, [("backend", None)])


def test_stranger_changes_nothing(
    stranger_api: APIClient, drive: Drive, unchanged: Unchanged
) -> None:
    with unchanged():
        response = stranger_api.put(path(drive), DEFINITION)
    assert response.status_code == 404
    assert faults_of(response) == [("notexist", None)]


def test_anonymous_changes_nothing(
    anonymous_api: APIClient, drive: Drive, unchanged: Unchanged
) -> None:
    with unchanged():
        assert anonymous_api.put(path(drive), DEFINITION).status_code == 401


def test_drive_that_never_was_is_not_there(api: APIClient) -> None:
    assert api.put(f"{API}/drives/{uuid4()}/", DEFINITION).status_code == 404


def test_what_was_got_can_be_put_back(api: APIClient, drive: Drive, unchanged: Unchanged) -> None:
    got = api.get(path(drive)).json()
    with unchanged():
        assert api.put(path(drive), got).json() == got


def test_meta_is_replaced_whole(api: APIClient, drive: Drive) -> None:
    meta = {"meta_key1": "value", "meta_key2": "value\nwith\nnew lines", "k" * 32: ""}
    got = api.get(path(drive)).json()
    assert api.put(path(drive), got | {"meta": meta}).json() == got | {"meta": meta}
    assert api.put(path(drive), got | {"meta": {}}).json()["meta"] == {}


def test_optional_fields_that_are_not_given_stay(api: APIClient, drive: Drive) -> None:
    Drive.objects.update(affinities=["ssd"], allow_multimount=True)
    body = api.put(path(drive), DEFINITION).json()
    kept = (body["meta"], body["affinities"], body["allow_multimount"])
    assert kept == ({"old": "value"}, ["ssd"], True)


def test_read_only_keys_are_ignored(api: APIClient, drive: Drive, stranger: User) -> None:
    given = drive_json(DriveFactory(owner=stranger), status="unavailable")
    api.put(path(drive), given | DEFINITION)
    changed = Drive.objects.get(pk=drive.pk)
    assert (changed.owner, changed.status) == (drive.owner, "unmounted")


def test_larger_size_starts_a_resize(
    api: APIClient, drive: Drive, storage: Path, run_jobs: Callable[[], None]
) -> None:
    response = api.put(path(drive), DEFINITION | {"size": 5 * GIB})
    assert response.status_code == 200
    assert response.json() == being_resized(drive, name="new", media="cdrom")
    run_jobs()
    assert api.get(path(drive)).json() == drive_json(drive, name="new", media="cdrom", size=5 * GIB)
    assert (storage / "dssd-1" / f"{drive.pk}.raw").stat().st_size == 5 * GIB


def test_action_resizes(api: APIClient, drive: Drive, run_jobs: Callable[[], None]) -> None:
    got = api.get(path(drive)).json()
    response = api.post(f"{path(drive)}action/?do=resize", got | {"size": 4 * GIB})
    assert response.status_code == 202
    assert response.json() == {"objects": [being_resized(drive)]}
    run_jobs()
    assert api.get(path(drive)).json() == drive_json(drive, size=4 * GIB)


def test_action_needs_the_size_only(
    api: APIClient, drive: Drive, run_jobs: Callable[[], None]
) -> None:
    response = api.post(f"{path(drive)}action/?do=resize", {"size": str(GIB + 1)})
    assert response.status_code == 202
    run_jobs()
    assert Drive.objects.get().size == GIB + 16 * 1024


def test_action_without_a_size_is_refused(
    api: APIClient, drive: Drive, unchanged: Unchanged
) -> None:
    with unchanged():
        response = api.post(f"{path(drive)}action/?do=resize", {})
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "size")]


def test_action_of_strangers_changes_nothing(
    stranger_api: APIClient, anonymous_api: APIClient, drive: Drive, unchanged: Unchanged
) -> None:
    with unchanged():
        for client, status in ((stranger_api, 404), (anonymous_api, 401)):
            response = client.post(f"{path(drive)}action/?do=resize", {"size": 2 * GIB})
            assert response.status_code == status


def test_resize_shows_no_job(api: APIClient, drive: Drive, run_jobs: Callable[[], None]) -> None:
    api.post(f"{path(drive)}action/?do=resize", {"size": 2 * GIB})
    assert api.get(path(drive)).json()["jobs"] == []
    run_jobs()
    assert api.get(f"{API}/jobs/").json()["objects"] == []


def test_resized_image_keeps_its_data(
    api: APIClient, owner: User, storage: Path, run_jobs: Callable[[], None]
) -> None:
    drive = DriveFactory(owner=owner, image=b"data")
    api.post(f"{path(drive)}action/?do=resize", {"size": 2 * GIB})
    run_jobs()
    with (storage / "dssd-1" / f"{drive.pk}.raw").open("rb") as image:
        assert image.read(8) == b"data\0\0\0\0"


@pytest.mark.parametrize("size", [GIB - 16 * 1024, 512 * 1024**2, 1])
@pytest.mark.parametrize("action", [False, True])
def test_drive_does_not_shrink(
    api: APIClient, drive: Drive, unchanged: Unchanged, size: int, action: bool
) -> None:
    with unchanged():
        body = DEFINITION | {"size": size}
        address = f"{path(drive)}action/?do=resize"
        response = api.post(address, body) if action else api.put(path(drive), body)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "size")]


def test_size_that_rounds_to_its_own_starts_nothing(api: APIClient, drive: Drive) -> None:
    body = api.put(path(drive), DEFINITION | {"size": GIB - 1}).json()
    assert (body["status"], body["size"]) == ("unmounted", GIB)


def test_drive_does_not_outgrow_its_host(
    api: APIClient, drive: Drive, unchanged: Unchanged
) -> None:
    with unchanged():
        response = api.put(path(drive), DEFINITION | {"size": 65 * GIB})
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "size")]


@pytest.mark.parametrize("action", [False, True])
def test_storage_type_does_not_change(
    api: APIClient, drive: Drive, unchanged: Unchanged, action: bool
) -> None:
    body = DEFINITION | {"storage_type": "zadara", "size": 2 * GIB}
    with unchanged():
        address = f"{path(drive)}action/?do=resize"
        response = api.post(address, body) if action else api.put(path(drive), body)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "storage_type")]


@pytest.mark.parametrize(
    "status", ["creating", "cloning_dst", "resizing", "uploading", "deleting", "unavailable"]
)
def test_drive_in_a_passing_status_does_not_change(
    api: APIClient, drive: Drive, unchanged: Unchanged, status: str
) -> None:
    Drive.objects.update(status=status)
    with unchanged():
        response = api.put(path(drive), DEFINITION | {"size": 2 * GIB})
    assert response.status_code == 403
    assert faults_of(response) == [("permission", "status")]


def test_drive_that_is_being_cloned_is_renamed_but_not_resized(
    api: APIClient, drive: Drive, unchanged: Unchanged
) -> None:
    api.post(f"{path(drive)}action/?do=clone", {})
    assert api.put(path(drive), DEFINITION).json()["name"] == "new"
    with unchanged():
        response = api.put(path(drive), DEFINITION | {"name": "newer", "size": 2 * GIB})
    assert response.status_code == 503
    assert faults_of(response) == [("concurrency", "status")]


def test_resize_that_fails_leaves_the_size_and_a_drive_that_can_be_deleted(
    api: APIClient, drive: Drive, storage: Path, run_jobs: Callable[[], None]
) -> None:
    api.post(f"{path(drive)}action/?do=resize", {"size": 2 * GIB})
    (storage / "dssd-1" / f"{drive.pk}.raw").unlink()
    run_jobs()
    assert Drive.objects.get().size == GIB
    assert api.delete(path(drive)).status_code == 204
