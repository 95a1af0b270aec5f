from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from jobs.models import Job
from tests.conftest import Unchanged
from tests.factories import GIB, DriveFactory
from tests.wire import API, drive_json, faults_of, runtime_json

DRIVES = f"{API}/drives/"
MINIMAL = {"name": "new", "size": GIB, "media": "disk"}


def being_created(drive: Drive) -> dict[str, Any]:
    runtime = runtime_json(drive.storage_type, downloadable=False, snapshotable=None)
    return drive_json(drive, status="creating", runtime=runtime)


@pytest.mark.parametrize("body", [{"objects": [MINIMAL]}, [MINIMAL], MINIMAL])
def test_drive_is_created_by_any_form_of_body(api: APIClient, owner: User, body: Any) -> None:
    response = api.post(DRIVES, body)
    drive = Drive.objects.get()
    assert response.status_code == 201
    assert response["Location"] == f"/api/2.0/drives/{drive.pk}/"
    assert response.json() == {"objects": [being_created(drive)]}
    assert (drive.name, drive.size, drive.media, drive.owner) == ("new", GIB, "disk", owner)
    assert drive.storage_type == "dssd"


def test_anonymous_creates_nothing(anonymous_api: APIClient, unchanged: Unchanged) -> None:
    with unchanged():
        assert anonymous_api.post(DRIVES, MINIMAL).status_code == 401


def test_created_drive_is_not_there_for_a_stranger(api: APIClient, stranger_api: APIClient) -> None:
    location = api.post(DRIVES, MINIMAL)["Location"]
    assert api.get(location).status_code == 200
    assert stranger_api.get(location).status_code == 404


def test_created_drive_becomes_unmounted_by_itself(
    api: APIClient, storage: Path, run_jobs: Callable[[], None]
) -> None:
    location = api.post(DRIVES, MINIMAL)["Location"]
    run_jobs()
    drive = Drive.objects.get()
    assert api.get(location).json() == drive_json(drive, status="unmounted")
    image = storage / drive.storage_host / f"{drive.pk}.raw"
    assert (image.stat().st_size, image.stat().st_blocks) == (GIB, 0)


def test_creation_shows_no_job(api: APIClient, run_jobs: Callable[[], None]) -> None:
    api.post(DRIVES, MINIMAL)
    assert Job.objects.get().is_internal
    assert api.get(f"{API}/jobs/").json()["objects"] == []
    run_jobs()
    assert api.get(f"{DRIVES}detail/").json()["objects"][0]["jobs"] == []


def test_optional_fields_are_kept(api: APIClient, run_jobs: Callable[[], None]) -> None:
    optional = {
        "affinities": ["ssd"],
        "allow_multimount": True,
        "media": "cdrom",
        "meta": {"description": "", "notes": "with\nlines 💾"},
        "storage_type": "nvme",
        "tags": [],
    }
    location = api.post(DRIVES, MINIMAL | optional)["Location"]
    run_jobs()
    body = api.get(location).json()
    assert {name: body[name] for name in optional} == optional
    assert body["runtime"]["storage_type"] == "nvme"


@pytest.mark.parametrize("storage_type", ["dssd", "nvme", "zadara"])
def test_storage_type_decides_the_host(
    api: APIClient, storage_type: str, run_jobs: Callable[[], None]
) -> None:
    response = api.post(DRIVES, MINIMAL | {"storage_type": storage_type})
    run_jobs()
    drive = Drive.objects.get()
    assert response.json()["objects"][0]["storage_type"] == storage_type
    assert drive.storage_host.startswith(f"{storage_type}-")
    assert drive.status == "unmounted"


@pytest.mark.parametrize(
    ("size", "kept"),
    [
        (GIB, GIB),
        (1207959631, 1207975936),
        (GIB + 1, GIB + 16 * 1024),
        (GIB + 16 * 1024 - 1, GIB + 16 * 1024),
        ("1073741824", GIB),
        ("1073741825", GIB + 16 * 1024),
        (512 * 1024**2, 512 * 1024**2),
        (512 * 1024**2 - 1, 512 * 1024**2),
        (64 * GIB, 64 * GIB),
    ],
)
def test_size_is_rounded_up(api: APIClient, size: Any, kept: int) -> None:
    response = api.post(DRIVES, MINIMAL | {"size": size})
    assert response.json()["objects"][0]["size"] == kept
    assert Drive.objects.get().size == kept


@pytest.mark.parametrize(
    "name", ["x", "💾", "x" * 255, "💾" * 255, "a/b\\c", "../../etc/passwd", "ß\n"]
)
def test_name_may_be_any_text(api: APIClient, name: str, run_jobs: Callable[[], None]) -> None:
    location = api.post(DRIVES, MINIMAL | {"name": name})["Location"]
    run_jobs()
    body = api.get(location).json()
    assert (body["name"], body["status"]) == (name.strip(), "unmounted")


def test_several_drives_may_have_one_name(api: APIClient) -> None:
    assert api.post(DRIVES, [MINIMAL, MINIMAL]).status_code == 201
    assert api.post(DRIVES, MINIMAL).status_code == 201
    assert Drive.objects.filter(name="new").count() == 3


def test_read_only_keys_are_ignored(api: APIClient, owner: User, stranger: User) -> None:
    given = drive_json(DriveFactory(owner=stranger), status="unavailable", jobs=["x"])
    response = api.post(DRIVES, given | MINIMAL)
    assert response.status_code == 201
    drive = owner.drives.get()
    assert str(drive.pk) != given["uuid"]
    assert drive.status == "creating"


def test_avoided_drive_lies_on_another_host(api: APIClient, owner: User) -> None:
    for host, other in (("dssd-1", "dssd-2"), ("dssd-2", "dssd-1")):
        drive = DriveFactory(owner=owner, storage_host=host)
        response = api.post(f"{DRIVES}?avoid={drive.pk},{uuid4()}", MINIMAL)
        created = response.json()["objects"][0]["uuid"]
        assert Drive.objects.get(pk=created).storage_host == other


def test_avoiding_every_host_still_creates(api: APIClient, owner: User) -> None:
    hosts = ("dssd-1", "dssd-2")
    uuids = [str(DriveFactory(owner=owner, storage_host=host).pk) for host in hosts]
    assert api.post(f"{DRIVES}?avoid={','.join(uuids)}", MINIMAL).status_code == 201


def test_drive_that_could_not_be_made_is_unavailable_and_can_be_deleted(
    api: APIClient, storage: Path, run_jobs: Callable[[], None]
) -> None:
    location = api.post(DRIVES, MINIMAL)["Location"]
    drive = Drive.objects.get()
    folder = storage / drive.storage_host
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{drive.pk}.raw").write_bytes(b"in the way")
    run_jobs()
    assert api.get(location).json()["status"] == "unavailable"
    assert api.delete(location).status_code == 204
    run_jobs()
    assert api.get(location).status_code == 404


def test_bulk_creates_all(api: APIClient, run_jobs: Callable[[], None]) -> None:
    bodies = [MINIMAL | {"name": f"new-{i}"} for i in range(5)]
    response = api.post(DRIVES, {"objects": bodies})
    assert response.status_code == 201
    assert "Location" not in response
    drives = [Drive.objects.get(name=body["name"]) for body in bodies]
    assert response.json() == {"objects": [being_created(drive) for drive in drives]}
    run_jobs()
    assert set(Drive.objects.values_list("status", flat=True)) == {"unmounted"}


@pytest.mark.parametrize(
    ("bad", "point"),
    [
        ({"size": 0}, "objects.2.size"),
        ({"size": 100 * GIB}, "objects.2.size"),
        ({"storage_type": "floppy"}, "objects.2.storage_type"),
        ({"media": "floppy"}, "objects.2.media"),
        ({"name": ""}, "objects.2.name"),
        ({"meta": {"k": {}}}, "objects.2.meta.k"),
    ],
)
def test_bulk_with_one_bad_object_creates_none(
    api: APIClient, unchanged: Unchanged, bad: dict[str, Any], point: str
) -> None:
    with unchanged():
        response = api.post(DRIVES, {"objects": [MINIMAL, MINIMAL, MINIMAL | bad, MINIMAL]})
    assert response.status_code == 400
    assert faults_of(response) == [("validation", point)]


def test_bulk_names_the_faults_of_each_object(api: APIClient, unchanged: Unchanged) -> None:
    with unchanged():
        response = api.post(DRIVES, [{"name": "a"}, MINIMAL, 7])
    assert sorted(faults_of(response)) == [
        ("validation", "objects.0.media"),
        ("validation", "objects.0.size"),
        ("validation", "objects.2"),
    ]


def test_bulk_has_a_bound(api: APIClient, unchanged: Unchanged) -> None:
    with unchanged():
        response = api.post(DRIVES, [MINIMAL] * 501)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "objects")]
