"""What operators look at and do in the admin: figures, search, and deletion that frees bytes."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import Schedule
from pytest_django import Settings

from accounts.models import Profile, User
from drives.models import Drive, Snapshot, Upload
from drives.operations import backend_of
from jobs.actions import submit
from jobs.models import Job, JobLink
from tests.conftest import Unchanged, browser_of
from tests.factories import GIB, DriveFactory, ServerFactory, SnapshotFactory, UserFactory
from tests.html import body_of, text_of
from tests.trees import inner, jobs_of, leaf, make_stale
from tests.wire import assert_as_many, queries_of

INDEX = "/admin/"
JOBS = "/admin/jobs/job/"


def job_of(owner: User) -> Job:
    return submit(leaf(10), owner)


@pytest.fixture
def operator(storage: Path, db: None) -> Client:
    return browser_of(UserFactory(is_staff=True, is_superuser=True))


@pytest.fixture
def job(owner: User) -> Job:
    return submit(leaf(10), owner)


def index(client: Client) -> str:
    return text_of(body_of(client.get(INDEX)))


def listed(client: Client, query: str) -> set[str]:
    """Return the keys of the jobs that the list shows."""
    response = client.get(f"{JOBS}?{query}")
    assert response.status_code == 200
    return {str(job.pk) for job in response.context["cl"].result_list}


def act(client: Client, model: type[Model], action: str, *rows: Model, **said: str) -> str:
    """Choose an action of a list for some rows, and return what is told then."""
    address = reverse(f"admin:drives_{model._meta.model_name}_changelist")
    body = {"action": action, "_selected_action": [str(row.pk) for row in rows], **said}
    return text_of(body_of(client.post(address, body, follow=True)))


# --- figures --------------------------------------------------------------------------------


def test_index_counts_what_runs_waits_and_failed(operator: Client, owner: User) -> None:
    running, failed, _ = (submit(leaf(10), owner) for _ in range(3))
    running.claim("machine-1")
    Job.objects.filter(pk=failed.pk).update(state="failed", finished_at=timezone.now())
    shown = index(operator)
    assert "Running 1 Waiting 1 since" in shown
    assert "Failed in a day 1" in shown
    assert "machine-1 1 job last sign of life" in shown


def test_job_of_a_dead_worker_waits(operator: Client, job: Job) -> None:
    job.claim("machine-1")
    make_stale(job)
    assert "Running 0 Waiting 1" in index(operator)
    assert "No worker has a job now." in index(operator)


def test_old_failure_is_not_counted(operator: Client, job: Job) -> None:
    long_ago = timezone.now() - timedelta(days=2)
    Job.objects.update(state="failed", finished_at=long_ago)
    assert "Failed in a day 0" in index(operator)


def test_index_tells_that_no_cluster_sweeps(operator: Client) -> None:
    sweep = Schedule.objects.filter(name="sweep")
    sweep.update(next_run=timezone.now() + timedelta(seconds=30))
    assert "Sweep Due at" in index(operator)
    sweep.update(next_run=timezone.now() - timedelta(minutes=4))
    assert "Sweep Overdue since" in index(operator)


def test_index_tells_the_use_of_storage(operator: Client) -> None:
    for size in (GIB, 5 * GIB):
        DriveFactory(storage_host="zadara-1", size=size)
    assert "zadara-1 zadara 2 drives , 6 GiB together" in index(operator)


def test_index_tells_of_storage_that_is_away(
    operator: Client, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    hosts = settings.STORAGE_HOSTS
    hosts["dssd-1"]["options"]["root"] = str(tmp_path / "file" / "images")
    settings.STORAGE_HOSTS = dict(hosts)
    assert "dssd-1 dssd 0 drives , 0 B together Does not answer." in index(operator)


def test_index_asks_for_what_is_reserved_once(operator: Client) -> None:
    asked = queries_of(lambda: operator.get(INDEX))
    assert sum('"drives_upload"' in query for query in asked) == 1


def test_figures_take_the_right_to_see_jobs(job: Job) -> None:
    clerk = browser_of(UserFactory(is_staff=True))
    assert "Waiting" not in index(clerk)


@pytest.mark.parametrize("address", [INDEX, JOBS])
def test_pages_cost_as_many_queries_for_two_trees_as_for_twenty(
    operator: Client, address: str
) -> None:
    def add(count: int) -> None:
        for _ in range(count):
            submit(inner(leaf(10), leaf(20)), UserFactory())

    add(2)
    few = queries_of(lambda: operator.get(address))
    add(18)
    assert_as_many(few, queries_of(lambda: operator.get(address)))


# --- the list of jobs -----------------------------------------------------------------------


def test_jobs_are_found_by_how_they_stand(operator: Client, owner: User) -> None:
    running, waiting, failed = (submit(leaf(10), owner) for _ in range(3))
    running.claim("machine-1")
    Job.objects.filter(pk=failed.pk).update(state="failed", finished_at=timezone.now())
    assert listed(operator, "standing=running") == {str(running.pk)}
    assert listed(operator, "standing=waiting") == {str(waiting.pk)}
    assert listed(operator, "standing=failed") == {str(failed.pk)}
    assert listed(operator, "worker=machine-1") == {str(running.pk)}
    assert len(listed(operator, "")) == 3


def test_jobs_are_searched_by_uuid_object_and_owner(operator: Client, owner: User) -> None:
    mine, other = submit(inner(leaf(10)), owner), submit(leaf(10), UserFactory())
    drive = UUID(int=7)
    JobLink.objects.create(job=other, kind="drives", object_uuid=drive)
    assert listed(operator, f"q={mine.pk}") == {str(mine.pk)}
    assert listed(operator, f"q={drive}") == {str(other.pk)}
    assert listed(operator, f"q={owner.email[:-4]}") == {str(job.pk) for job in jobs_of(mine)}
    assert listed(operator, "q=nobody") == set()


# --- deletion -------------------------------------------------------------------------------


def test_deletion_asks_first(operator: Client, unchanged: Unchanged) -> None:
    drive = DriveFactory(name="golden")
    with unchanged():
        asked = act(operator, Drive, "remove", drive)
    assert "Delete 1 of the drives?" in asked
    assert f"golden ({drive.pk})" in asked


def test_drive_is_deleted_with_its_bytes(operator: Client, run_jobs: Callable[[], None]) -> None:
    drive = DriveFactory(name="golden")
    assert "Being deleted: golden." in act(operator, Drive, "remove", drive, confirmed="yes")
    run_jobs()
    assert not Drive.objects.exists()
    assert not backend_of(drive).exists(drive.pk)


def test_deletion_tells_what_stays_and_why(operator: Client, unchanged: Unchanged) -> None:
    drive = DriveFactory(name="golden", status=Drive.Status.CREATING)
    with unchanged():
        told = act(operator, Drive, "remove", drive, confirmed="yes")
    assert "Not deleted: golden." in told


def test_snapshot_is_cloned_and_deleted(operator: Client, run_jobs: Callable[[], None]) -> None:
    snapshot = SnapshotFactory(name="before", owner=UserFactory())
    assert "Cloning before as before." in act(operator, Snapshot, "clone", snapshot)
    assert Drive.objects.get(status="cloning_dst").owner == snapshot.owner
    run_jobs()
    assert "Being deleted: before." in act(operator, Snapshot, "remove", snapshot, confirmed="yes")
    run_jobs()
    assert not Snapshot.objects.exists()


def test_upload_is_given_up_unless_it_is_complete(operator: Client) -> None:
    coming, done = DriveFactory(name="coming", status="uploading"), DriveFactory(name="done")
    uploads = [Upload.objects.create(drive=each, length=10, size=GIB) for each in (coming, done)]
    told = act(operator, Upload, "remove", *uploads, confirmed="yes")
    assert f"Being deleted: upload of {coming.pk}." in told
    assert f"Not deleted: upload of {done.pk}. It is complete" in told
    coming.refresh_from_db()
    done.refresh_from_db()
    assert (coming.status, done.status) == ("deleting", "unmounted")


def test_deletion_takes_the_right_to_delete(unchanged: Unchanged) -> None:
    drive = DriveFactory()
    clerk = browser_of(UserFactory(is_staff=True))
    with unchanged():
        address = reverse("admin:drives_drive_changelist")
        body = {"action": "remove", "_selected_action": [str(drive.pk)], "confirmed": "yes"}
        assert clerk.post(address, body).status_code == 403


def test_user_who_has_nothing_is_deleted_with_the_profile(operator: Client, owner: User) -> None:
    address = reverse("admin:accounts_user_delete", args=[owner.pk])
    assert operator.post(address, {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=owner.pk).exists()
    assert not Profile.objects.filter(user_id=owner.pk).exists()


def test_upload_cannot_be_changed(db: None) -> None:
    upload = Upload.objects.create(drive=DriveFactory(), length=10, size=GIB)
    address = reverse("admin:drives_upload_change", args=[upload.pk])
    assert browser_of(UserFactory(is_staff=True)).post(address, {}).status_code == 403


@pytest.mark.parametrize("make", [DriveFactory, ServerFactory, SnapshotFactory, job_of])
def test_user_who_has_something_is_not_deleted(
    make: Callable[..., Any], operator: Client, owner: User
) -> None:
    make(owner=owner)
    address = reverse("admin:accounts_user_delete", args=[owner.pk])
    assert operator.post(address, {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=owner.pk).exists()
