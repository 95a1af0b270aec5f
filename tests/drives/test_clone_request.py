from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from jobs import runner
from jobs.models import Job
from tests.conftest import Unchanged
from tests.factories import GIB, MIB, DriveFactory
from tests.wire import (
    API,
    drive_json,
    faults_of,
    job_json,
    related_json,
    runtime_json,
)

CLONING = {"downloadable": False, "snapshotable": None}


def path(drive: Drive) -> str:
    return f"{API}/drives/{drive.pk}/"


def clone(api: APIClient, drive: Drive, body: dict[str, Any] | None = None, query: str = "") -> Any:
    return api.post(f"{path(drive)}action/?do=clone{query}", body or {})


def status_of(drive: Drive) -> str:
    return str(Drive.objects.get(pk=drive.pk).status)


def clone_of(drive: Drive) -> Drive:
    return Drive.objects.exclude(pk=drive.pk).get()


@pytest.fixture
def source(owner: User) -> Drive:
    return DriveFactory(owner=owner, meta={"k": "v"}, image=b"real data" * 1000)


def test_clone_without_wishes_is_like_its_source(api: APIClient, source: Drive) -> None:
    response = api.post(f"{path(source)}action/?do=clone")
    assert response.status_code == 202
    copy, job = clone_of(source), Job.objects.get()
    expected = drive_json(
        source,
        jobs=[related_json("jobs", job.pk)],
        resource_uri=path(copy),
        runtime=runtime_json("dssd", **CLONING),
        status="cloning_dst",
        uuid=str(copy.pk),
    )
    assert response.json() == {"objects": [expected]}


def test_clone_is_as_wished(api: APIClient, source: Drive) -> None:
    wishes = {
        "affinities": [],
        "media": "cdrom",
        "meta": {"new": "value"},
        "name": "wished",
        "size": 1207959631,
        "storage_type": "nvme",
        "tags": [],
    }
    body = clone(api, source, wishes).json()["objects"][0]
    assert {name: body[name] for name in wishes} == wishes | {"size": 1207975936}
    assert Drive.objects.get(pk=body["uuid"]).storage_host == "nvme-1"


def test_whole_definition_may_be_sent_back(api: APIClient, source: Drive) -> None:
    got = api.get(path(source)).json()
    body = clone(api, source, got).json()["objects"][0]
    assert body["uuid"] != got["uuid"]
    assert body["status"] == "cloning_dst"


def test_clone_has_the_bytes_of_its_source(
    api: APIClient, source: Drive, storage: Path, run_jobs: Callable[[], None]
) -> None:
    clone(api, source, {"size": 2 * GIB})
    run_jobs()
    copy = clone_of(source)
    image = storage / copy.storage_host / f"{copy.pk}.raw"
    assert image.stat().st_size == 2 * GIB
    assert image.stat().st_blocks * 512 < MIB
    with image.open("rb") as file:
        assert file.read(10_000) == b"real data" * 1000 + bytes(1000)


def test_both_drives_and_the_job_end_together(
    api: APIClient, source: Drive, run_jobs: Callable[[], None]
) -> None:
    clone(api, source)
    copy = clone_of(source)
    assert [status_of(drive) for drive in (source, copy)] == ["cloning_src", "cloning_dst"]
    run_jobs()
    job = Job.objects.get()
    jobs = [related_json("jobs", job.pk)]
    assert api.get(path(source)).json() == drive_json(source, jobs=jobs)
    assert api.get(path(copy)).json() == drive_json(copy, status="unmounted", jobs=jobs)


def test_job_shows_what_is_copied(
    api: APIClient, source: Drive, run_jobs: Callable[[], None]
) -> None:
    clone(api, source)
    copy, job = clone_of(source), Job.objects.get()
    shown = job_json(job, operation="drive_clone", resources=[path(source), path(copy)])
    assert api.get(f"{API}/jobs/").json()["objects"] == [shown]
    run_jobs()
    job.refresh_from_db()
    ended = job_json(job, state="success", data={"progress": 100})
    assert api.get(f"{API}/jobs/{job.pk}/").json() == ended | {"resources": shown["resources"]}


@pytest.mark.parametrize("origin", ["dssd-1", "zadara-1"])
@pytest.mark.parametrize("storage_type", ["dssd", "zadara", "nvme"])
def test_clone_goes_to_any_storage(
    api: APIClient, owner: User, run_jobs: Callable[[], None], origin: str, storage_type: str
) -> None:
    source = DriveFactory(owner=owner, storage_host=origin, image=b"data")
    body = clone(api, source, {"storage_type": storage_type}).json()["objects"][0]
    run_jobs()
    assert body["storage_type"] == body["runtime"]["storage_type"] == storage_type
    assert api.get(body["resource_uri"]).json()["status"] == "unmounted"


def test_clone_stays_on_the_storage_of_its_source(api: APIClient, owner: User) -> None:
    source = DriveFactory(owner=owner, storage_host="zadara-1")
    assert clone(api, source).json()["objects"][0]["storage_type"] == "zadara"


def test_avoided_drive_lies_on_another_host(api: APIClient, source: Drive) -> None:
    clone(api, source, query=f"&avoid={source.pk}")
    assert clone_of(source).storage_host == "dssd-2"


def test_source_is_busy_until_its_last_clone_ends(api: APIClient, source: Drive) -> None:
    for _ in range(3):
        assert clone(api, source).status_code == 202
    jobs = list(Job.objects.order_by("created"))
    assert api.get(path(source)).json()["jobs"] == [related_json("jobs", job.pk) for job in jobs]
    seen = []
    for _ in jobs:
        runner.run_next()
        seen.append(status_of(source))
    assert seen == ["cloning_src", "cloning_src", "unmounted"]


def test_clone_is_cloned_once_it_is_whole(
    api: APIClient, source: Drive, run_jobs: Callable[[], None]
) -> None:
    clone(api, source)
    copy = clone_of(source)
    run_jobs()
    assert clone(api, copy).status_code == 202


def test_failed_clone_frees_the_source_and_can_be_deleted(
    api: APIClient, source: Drive, storage: Path, run_jobs: Callable[[], None]
) -> None:
    clone(api, source)
    copy = clone_of(source)
    (storage / "dssd-1" / f"{source.pk}.raw").unlink()
    run_jobs()
    assert [status_of(drive) for drive in (source, copy)] == ["unmounted", "unavailable"]
    job = api.get(f"{API}/jobs/").json()["objects"][0]
    assert job["state"] == "failed"
    assert job["data"]["error"] == f"There is no image {source.pk}."
    assert api.delete(path(copy)).status_code == 204


def test_failed_clone_leaves_the_others_alone(
    api: APIClient, source: Drive, storage: Path, run_jobs: Callable[[], None]
) -> None:
    bad, good = (clone(api, source).json()["objects"][0] for _ in range(2))
    in_the_way = storage / Drive.objects.get(pk=bad["uuid"]).storage_host / f"{bad['uuid']}.raw"
    in_the_way.parent.mkdir(exist_ok=True)
    in_the_way.write_bytes(b"another image")
    run_jobs()
    assert api.get(bad["resource_uri"]).json()["status"] == "unavailable"
    assert api.get(good["resource_uri"]).json()["status"] == "unmounted"
    assert status_of(source) == "unmounted"


def test_stranger_clones_nothing(
    stranger_api: APIClient, source: Drive, unchanged: Unchanged
) -> None:
    with unchanged():
        response = clone(stranger_api, source)
    assert response.status_code == 404
    assert faults_of(response) == [("notexist", None)]


def test_anonymous_clones_nothing(
    anonymous_api: APIClient, source: Drive, unchanged: Unchanged
) -> None:
    with unchanged():
        assert clone(anonymous_api, source).status_code == 401


def test_deleted_drive_is_not_there(
    api: APIClient, source: Drive, run_jobs: Callable[[], None]
) -> None:
    api.delete(path(source))
    run_jobs()
    response = clone(api, source)
    assert response.status_code == 404
    assert faults_of(response) == [("notexist", None)]


@pytest.mark.parametrize("uuid", [uuid4(), "not-a-uuid", "1"])
def test_drive_that_never_was_is_not_there(api: APIClient, uuid: Any) -> None:
    response = api.post(f"{API}/drives/{uuid}/action/?do=clone", {})
    assert response.status_code == 404
    assert faults_of(response) == [("notexist", None)]


@pytest.mark.parametrize(
    "status", ["creating", "cloning_dst", "resizing", "uploading", "deleting", "unavailable"]
)
def test_drive_without_a_whole_image_is_not_cloned(
    api: APIClient, source: Drive, unchanged: Unchanged, status: str
) -> None:
    Drive.objects.update(status=status)
    with unchanged():
        response = clone(api, source)
    assert response.status_code == 403
    assert faults_of(response) == [("permission", "status")]


@pytest.mark.parametrize("size", [GIB - 16 * 1024, 512 * MIB, 1, "536870912"])
def test_clone_is_not_smaller_than_its_source(
    api: APIClient, source: Drive, unchanged: Unchanged, size: Any
) -> None:
    with unchanged():
        response = clone(api, source, {"size": size})
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "size")]


def test_clone_that_does_not_fit_is_refused(
    api: APIClient, owner: User, settings: Any, unchanged: Unchanged
) -> None:
    source = DriveFactory(owner=owner, image=b"x" * MIB)
    hosts = settings.STORAGE_HOSTS
    hosts["nvme-1"]["options"]["capacity"] = MIB // 2
    settings.STORAGE_HOSTS = dict(hosts)
    with unchanged():
        response = clone(api, source, {"storage_type": "nvme"})
    assert response.status_code == 503
    assert faults_of(response) == [("backend", None)]


def test_waiting_clones_reserve_their_bytes(
    api: APIClient, owner: User, settings: Any, unchanged: Unchanged
) -> None:
    source = DriveFactory(owner=owner, image=b"x" * MIB)
    hosts = settings.STORAGE_HOSTS
    hosts["nvme-1"]["options"]["capacity"] = int(1.5 * MIB)
    settings.STORAGE_HOSTS = dict(hosts)
    assert clone(api, source, {"storage_type": "nvme"}).status_code == 202
    with unchanged():
        assert clone(api, source, {"storage_type": "nvme"}).status_code == 503
