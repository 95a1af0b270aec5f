"""A clone that is retried: what comes back, from where it goes on, and when it is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from drives.storage import StorageBackend, get_host
from jobs import recovery
from jobs.models import Job
from jobs.reports import Reported
from tests.conftest import Unchanged
from tests.factories import MIB, DriveFactory, MountFactory, ServerFactory
from tests.trees import states_of, steer, wear_out
from tests.wire import API, faults_of

DATA = bytes(range(1, 256)) * 4096 * 3
WISHES = {"name": "wished", "meta": {"new": "value"}, "media": "cdrom", "affinities": []}


@pytest.fixture
def source(owner: User) -> Drive:
    return DriveFactory(owner=owner, image=DATA)


@pytest.fixture
def job(api: APIClient, source: Drive, settings: Any) -> Job:
    """The job of a clone with wishes of its own, that waits; all clones are real copies."""
    for host in settings.STORAGE_HOSTS.values():
        host["options"]["reflink"] = False
    settings.STORAGE_HOSTS = dict(settings.STORAGE_HOSTS)
    body = WISHES | {"size": source.size + 16 * 1024}
    assert api.post(f"{API}/drives/{source.pk}/action/?do=clone", body).status_code == 202
    return Job.objects.get()


@pytest.fixture
def cancelled(
    api: APIClient,
    job: Job,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> Job:
    with django_capture_on_commit_callbacks(execute=True):
        assert steer(api, job, "cancel").status_code == 200
    return job


@pytest.fixture
def worn_out(job: Job, source: Drive) -> Job:
    """The job, failed as its workers died, with the first MiB copied."""
    assert job.claim("worker:1")
    with backend_of(job).folder.new_partial(job.params["drive"]) as partial:
        partial.write(DATA[:MIB])
    job.report(Reported(MIB, MIB, "copy_file_range"))
    Job.objects.update(lease_token=None)
    wear_out(job)
    recovery.sweep()
    assert states_of(job) == ["failed"]
    return job


def backend_of(job: Job) -> StorageBackend:
    return get_host(job.params["storage_host"]).backend


def copy_of(job: Job) -> Drive:
    return Drive.objects.get(pk=job.params["drive"])


def content(job: Job) -> bytes:
    drive = copy_of(job)
    with backend_of(job).open(drive.pk) as image:
        return image.read(len(DATA))


def shrink_hosts(settings: Any, capacity: int) -> None:
    for host in settings.STORAGE_HOSTS.values():
        host["options"]["capacity"] = capacity
    settings.STORAGE_HOSTS = dict(settings.STORAGE_HOSTS)


def test_source_that_is_away_costs_nothing_of_what_was_copied(
    api: APIClient, worn_out: Job, storage: Path
) -> None:
    away = storage / worn_out.params["source_host"]
    copied = backend_of(worn_out).partial_size(worn_out.params["drive"])
    away.rename(storage / "away")
    assert steer(api, worn_out, "retry").status_code == 503
    (storage / "away").rename(away)
    assert backend_of(worn_out).partial_size(worn_out.params["drive"]) == copied == MIB


def test_cancelled_drive_comes_back_as_it_was(
    api: APIClient, job: Job, source: Drive, request: pytest.FixtureRequest
) -> None:
    uri = f"{API}/drives/{job.params['drive']}/"
    before = api.get(uri).json()
    cancelled = request.getfixturevalue("cancelled")
    assert steer(api, cancelled, "retry").status_code == 200
    assert api.get(uri).json() == before
    source.refresh_from_db()
    assert source.status == "cloning_src"


def test_cancelled_drive_keeps_its_wishes(
    api: APIClient, source: Drive, cancelled: Job, run_jobs: Callable[[], None]
) -> None:
    steer(api, cancelled, "retry")
    run_jobs()
    drive = copy_of(cancelled)
    assert (drive.name, drive.meta, drive.media) == ("wished", {"new": "value"}, "cdrom")
    assert (drive.size, drive.status) == (source.size + 16 * 1024, "unmounted")
    assert (drive.owner_id, content(cancelled)) == (source.owner_id, DATA)


def test_job_shows_the_drive_again(api: APIClient, cancelled: Job, source: Drive) -> None:
    shown = steer(api, cancelled, "retry").json()["resources"]
    copy = cancelled.params["drive"]
    assert shown == [f"/api/2.0/drives/{source.pk}/", f"/api/2.0/drives/{copy}/"]
    jobs = api.get(f"{API}/drives/{copy}/").json()["jobs"]
    assert [job["uuid"] for job in jobs] == [str(cancelled.pk)]
    cancelled.refresh_from_db()
    assert "removed" not in cancelled.params


def test_cancelled_clone_begins_anew(api: APIClient, job: Job, owner: User) -> None:
    assert job.claim("worker:1")
    job.report(Reported(MIB, MIB, "copy_file_range"))
    steer(api, job, "cancel")
    steer(api, job, "retry")
    job.refresh_from_db()
    assert (job.bytes_done, job.cursor, job.progress) == (0, 0, 0)


def test_clone_is_cancelled_and_retried_twice(
    api: APIClient, cancelled: Job, run_jobs: Callable[[], None]
) -> None:
    steer(api, cancelled, "retry")
    steer(api, cancelled, "cancel")
    steer(api, cancelled, "retry")
    run_jobs()
    assert (copy_of(cancelled).status, content(cancelled)) == ("unmounted", DATA)


def test_failed_clone_goes_on_from_its_partial(
    api: APIClient, worn_out: Job, run_jobs: Callable[[], None]
) -> None:
    assert copy_of(worn_out).status == "unavailable"
    steer(api, worn_out, "retry")
    worn_out.refresh_from_db()
    assert (worn_out.bytes_done, worn_out.cursor) == (MIB, MIB)
    assert copy_of(worn_out).status == "cloning_dst"
    run_jobs()
    assert (copy_of(worn_out).status, content(worn_out)) == ("unmounted", DATA)


def test_failed_clone_that_lost_its_partial_begins_anew(
    api: APIClient, worn_out: Job, run_jobs: Callable[[], None]
) -> None:
    backend_of(worn_out).discard_partial(worn_out.params["drive"])
    steer(api, worn_out, "retry")
    worn_out.refresh_from_db()
    assert (worn_out.bytes_done, worn_out.cursor) == (0, 0)
    assert (worn_out.samples, worn_out.method) == ([], "")
    run_jobs()
    assert content(worn_out) == DATA


def test_partial_that_ends_below_the_cursor_is_of_no_use(
    api: APIClient, worn_out: Job, run_jobs: Callable[[], None]
) -> None:
    with backend_of(worn_out).folder.open_partial(worn_out.params["drive"]) as partial:
        partial.truncate(MIB - 1)
    steer(api, worn_out, "retry")
    worn_out.refresh_from_db()
    assert worn_out.cursor == 0
    run_jobs()
    assert content(worn_out) == DATA


def test_source_that_changed_meanwhile_is_copied_as_it_is_now(
    api: APIClient, source: Drive, worn_out: Job, run_jobs: Callable[[], None]
) -> None:
    """The source was free after the failure, so a server may have written to it."""
    with get_host(source.storage_host).backend.folder._final(source.pk).open("r+b") as image:
        image.write(b"\0" * len(DATA))
    steer(api, worn_out, "retry")
    run_jobs()
    assert content(worn_out) == b"\0" * len(DATA)


def test_clone_fails_for_a_missing_image_and_succeeds_when_it_is_back(
    api: APIClient, source: Drive, job: Job, storage: Path, run_jobs: Callable[[], None]
) -> None:
    image = storage / source.storage_host / f"{source.pk}.raw"
    away = image.rename(image.with_suffix(".away"))
    run_jobs()
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", "image_missing")
    away.rename(image)
    steer(api, job, "retry")
    run_jobs()
    assert (states_of(job), content(job)) == (["success"], DATA)


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["cancelled", "worn_out"])
def test_no_space_keeps_everything_as_it_is(
    api: APIClient,
    way: str,
    request: pytest.FixtureRequest,
    settings: Any,
    unchanged: Unchanged,
) -> None:
    job = request.getfixturevalue(way)
    shrink_hosts(settings, MIB)
    with unchanged():
        response = steer(api, job, "retry")
    assert response.status_code == 503
    assert faults_of(response) == [("backend", None)]


def test_retry_needs_only_what_is_not_yet_written(
    api: APIClient, worn_out: Job, settings: Any
) -> None:
    backend = backend_of(worn_out)
    used = backend.folder.used()
    shrink_hosts(settings, used + worn_out.weight - MIB)
    assert steer(api, worn_out, "retry").status_code == 200


@pytest.mark.parametrize("way", ["cancelled", "worn_out"])
def test_deleted_source_is_told(
    api: APIClient,
    source: Drive,
    way: str,
    request: pytest.FixtureRequest,
    run_jobs: Callable[[], None],
    unchanged: Unchanged,
) -> None:
    job = request.getfixturevalue(way)
    assert api.delete(f"{API}/drives/{source.pk}/").status_code == 204
    run_jobs()
    with unchanged():
        response = steer(api, job, "retry")
    assert response.status_code == 403
    assert faults_of(response) == [("permission", "resources")]


@pytest.mark.parametrize("status", ["deleting", "resizing", "unavailable", "uploading"])
def test_source_without_a_whole_image_is_told(
    api: APIClient, source: Drive, cancelled: Job, unchanged: Unchanged, status: str
) -> None:
    Drive.objects.filter(pk=source.pk).update(status=status)
    with unchanged():
        response = steer(api, cancelled, "retry")
    assert faults_of(response) == [("permission", "resources")]
    assert status in response.json()[0]["error_message"]


@pytest.mark.parametrize("status", ["starting", "running", "stopping"])
def test_source_whose_server_runs_is_told(
    api: APIClient, owner: User, source: Drive, cancelled: Job, unchanged: Unchanged, status: str
) -> None:
    MountFactory(server=ServerFactory(owner=owner, status=status), drive=source)
    Drive.objects.filter(pk=source.pk).update(status="mounted")
    with unchanged():
        response = steer(api, cancelled, "retry")
    assert faults_of(response) == [("permission", "resources")]


def test_mounted_source_at_rest_is_cloned_and_mounted_again(
    api: APIClient,
    owner: User,
    source: Drive,
    cancelled: Job,
    run_jobs: Callable[[], None],
) -> None:
    MountFactory(server=ServerFactory(owner=owner), drive=source)
    Drive.objects.filter(pk=source.pk).update(status="mounted")
    steer(api, cancelled, "retry")
    run_jobs()
    source.refresh_from_db()
    assert (source.status, copy_of(cancelled).status) == ("mounted", "unmounted")


def test_deleted_destination_of_a_failed_clone_is_told(
    api: APIClient, worn_out: Job, run_jobs: Callable[[], None], unchanged: Unchanged
) -> None:
    assert api.delete(f"{API}/drives/{worn_out.params['drive']}/").status_code == 204
    with unchanged():
        assert steer(api, worn_out, "retry").status_code == 403
    run_jobs()
    with unchanged():
        assert steer(api, worn_out, "retry").status_code == 403


def test_stranger_retries_nothing(
    stranger_api: APIClient, anonymous_api: APIClient, cancelled: Job, unchanged: Unchanged
) -> None:
    with unchanged():
        assert steer(stranger_api, cancelled, "retry").status_code == 404
        assert steer(anonymous_api, cancelled, "retry").status_code == 401


@pytest.mark.parametrize("way", ["cancelled", "worn_out"])
def test_storage_host_that_is_gone_is_told(
    api: APIClient, way: str, request: pytest.FixtureRequest, settings: Any, unchanged: Unchanged
) -> None:
    job = request.getfixturevalue(way)
    hosts = dict(settings.STORAGE_HOSTS)
    del hosts[job.params["storage_host"]]
    settings.STORAGE_HOSTS = hosts
    with unchanged():
        response = steer(api, job, "retry")
    assert response.status_code == 503
    assert faults_of(response) == [("backend", None)]


def test_source_that_outgrew_the_clone_is_told(api: APIClient, worn_out: Job) -> None:
    Drive.objects.filter(pk=worn_out.params["source"]).update(size=worn_out.params["size"] * 2)
    answer = steer(api, worn_out, "retry")
    assert answer.status_code == 403
    assert "has outgrown its clone" in answer.json()[0]["error_message"]
