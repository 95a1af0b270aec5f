"""A clone that is cancelled: its drive and bytes go, its source is free again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from pytest_django import DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from drives.placement import reserved_bytes, rooms_on
from drives.storage import get_host
from drives.storage.folder import ImageFolder
from jobs import endings, runner
from jobs.actions import Resource, submit
from jobs.exceptions import LeaseLost
from jobs.models import Job
from jobs.reports import Reported
from tests.factories import MIB, DriveFactory
from tests.trees import leaf, states_of, steer
from tests.wire import API, drive_json, faults_of, job_json

Cancel = Callable[[Job], Any]


def files(storage: Path) -> set[str]:
    """Return the names of all images and partials."""
    return {path.name for path in storage.rglob("*") if path.is_file() and path.suffix}


@pytest.fixture
def source(owner: User) -> Drive:
    return DriveFactory(owner=owner, image=b"x" * 3 * MIB)


@pytest.fixture
def job(api: APIClient, source: Drive) -> Job:
    """The job of a clone that waits."""
    assert api.post(f"{API}/drives/{source.pk}/action/?do=clone", {}).status_code == 202
    return Job.objects.get()


@pytest.fixture
def copy(job: Job) -> Drive:
    return Drive.objects.get(pk=job.params["drive"])


@pytest.fixture
def cancel(
    api: APIClient, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> Cancel:
    """Cancel a job as a request does, with what comes after its commit."""

    def do(job: Job) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return steer(api, job, "cancel")

    return do


def test_new_drive_goes_and_its_source_is_free(
    api: APIClient, source: Drive, copy: Drive, job: Job, cancel: Cancel
) -> None:
    assert cancel(job).status_code == 200
    assert api.get(f"{API}/drives/{copy.pk}/").status_code == 404
    shown = api.get(f"{API}/drives/{source.pk}/").json()
    assert (shown["status"], shown["runtime"]["is_downloadable"]) == ("unmounted", True)


def test_job_shows_only_what_is_left(
    api: APIClient, source: Drive, job: Job, cancel: Cancel
) -> None:
    cancel(job)
    job.refresh_from_db()
    expected = job_json(job, state="cancelled", resources=[f"/api/2.0/drives/{source.pk}/"])
    assert api.get(f"{API}/jobs/{job.pk}/").json() == expected


def test_source_is_as_before(api: APIClient, source: Drive, job: Job, cancel: Cancel) -> None:
    cancel(job)
    jobs = api.get(f"{API}/drives/{source.pk}/").json()["jobs"]
    assert api.get(f"{API}/drives/{source.pk}/").json() == drive_json(source, jobs=jobs)


def test_partial_goes_with_the_drive(
    storage: Path, source: Drive, copy: Drive, job: Job, cancel: Cancel
) -> None:
    get_host(copy.storage_host).backend.folder.new_partial(copy.pk).close()
    cancel(job)
    assert files(storage) == {f"{source.pk}.raw"}


def test_image_that_was_finished_but_not_announced_goes_too(
    storage: Path, source: Drive, copy: Drive, job: Job, cancel: Cancel
) -> None:
    get_host(copy.storage_host).backend.create(copy.pk, copy.size)
    cancel(job)
    assert files(storage) == {f"{source.pk}.raw"}


def test_bytes_stay_until_the_commit(api: APIClient, storage: Path, copy: Drive, job: Job) -> None:
    get_host(copy.storage_host).backend.folder.new_partial(copy.pk).close()
    steer(api, job, "cancel")
    assert f"{copy.pk}.partial" in files(storage)


def test_reserved_bytes_are_free_again(copy: Drive, job: Job, cancel: Cancel) -> None:
    host = get_host(copy.storage_host)
    before = rooms_on([host], reserved_bytes())[host.name]
    cancel(job)
    assert rooms_on([host], reserved_bytes())[host.name] == before + job.weight


def test_source_stays_busy_while_another_clone_of_it_is_made(
    api: APIClient, source: Drive, job: Job, cancel: Cancel, run_jobs: Callable[[], None]
) -> None:
    api.post(f"{API}/drives/{source.pk}/action/?do=clone", {})
    cancel(job)
    source.refresh_from_db()
    assert source.status == "cloning_src"
    run_jobs()
    source.refresh_from_db()
    assert source.status == "unmounted"
    assert Drive.objects.count() == 2


def test_worker_that_comes_too_late_frees_what_it_wrote(
    storage: Path, source: Drive, job: Job, cancel: Cancel, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = ImageFolder.publish

    def publish_after_the_cancel(self: ImageFolder, image: UUID, inode: int, size: int) -> None:
        partial = self._partial(image).rename(self.root / "kept")
        cancel(job)
        publish(self, image, partial.rename(self._partial(image)).stat().st_ino, size)

    monkeypatch.setattr(ImageFolder, "publish", publish_after_the_cancel)
    runner.run_next()
    assert states_of(job) == ["cancelled"]
    assert files(storage) == {f"{source.pk}.raw"}


def test_success_before_the_cancel_keeps_the_drive(
    api: APIClient, job: Job, copy: Drive, cancel: Cancel, run_jobs: Callable[[], None]
) -> None:
    run_jobs()
    response = cancel(job)
    assert (response.status_code, faults_of(response)) == (403, [("permission", "state")])
    assert api.get(f"{API}/drives/{copy.pk}/").json()["status"] == "unmounted"


def test_success_after_the_cancel_makes_no_drive(copy: Drive, job: Job, cancel: Cancel) -> None:
    assert job.claim("worker:1")
    cancel(job)
    with pytest.raises(LeaseLost), transaction.atomic():
        endings.finish(job, Job.State.SUCCESS, reported=Reported(job.weight, copy.size, "test"))
    assert not Drive.objects.filter(pk=copy.pk).exists()
    assert states_of(job) == ["cancelled"]


def test_job_keeps_what_the_drive_was(copy: Drive, job: Job, cancel: Cancel) -> None:
    cancel(job)
    job.refresh_from_db()
    assert job.params["removed"] == {
        "name": copy.name,
        "media": "disk",
        "size": copy.size,
        "storage_host": copy.storage_host,
        "storage_type": "dssd",
        "allow_multimount": False,
        "affinities": [],
        "meta": {},
    }


def test_drive_that_was_mounted_meanwhile_leaves_its_server(
    api: APIClient, copy: Drive, job: Job, cancel: Cancel
) -> None:
    place = {"dev_channel": "0:0", "device": "virtio", "drive": str(copy.pk)}
    body = {"cpu": 1000, "mem": 512 * MIB, "name": "s", "vnc_password": "p", "drives": [place]}
    server = api.post(f"{API}/servers/", body).json()["objects"][0]
    cancel(job)
    assert api.get(server["resource_uri"]).json()["drives"] == []


def test_stranger_cancels_nothing(
    stranger_api: APIClient, anonymous_api: APIClient, copy: Drive, job: Job
) -> None:
    assert steer(stranger_api, job, "cancel").status_code == 404
    assert steer(anonymous_api, job, "cancel").status_code == 401
    copy.refresh_from_db()
    assert copy.status == "cloning_dst"


def test_drive_that_is_made_empty_cannot_be_cancelled(api: APIClient, owner: User) -> None:
    definition = {"media": "disk", "name": "new", "size": 512 * MIB}
    assert api.post(f"{API}/drives/", definition).status_code == 201
    assert steer(api, Job.objects.get(), "cancel").status_code == 404


def test_jobs_of_the_source_do_not_forget_it(
    api: APIClient, owner: User, source: Drive, job: Job, cancel: Cancel
) -> None:
    other = submit(leaf(resources=(Resource("drives", source.pk, source.name),)), owner)
    cancel(job)
    shown = api.get(f"{API}/jobs/{other.pk}/").json()["resources"]
    assert shown == [f"/api/2.0/drives/{source.pk}/"]
