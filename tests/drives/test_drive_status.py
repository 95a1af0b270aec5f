"""Moves of a drive's status, and their losing side: the row changes between read and write."""

from collections.abc import Callable

import pytest

from accounts.models import User
from drives import actions, operations
from drives.cloning import clone_drive
from drives.models import Drive
from jobs import runner
from jobs.models import Job
from tests.factories import GIB, DriveFactory

Status = Drive.Status


@pytest.fixture
def drive(owner: User) -> Drive:
    return DriveFactory(owner=owner)


def test_drive_moves_from_an_expected_status(drive: Drive) -> None:
    assert drive.become(Status.RESIZING, Status.UNMOUNTED, Status.MOUNTED)
    assert drive.status == Drive.objects.get().status == "resizing"


def test_move_takes_other_values_along(drive: Drive) -> None:
    assert drive.become(Status.UNMOUNTED, Status.UNMOUNTED, size=2 * GIB)
    assert drive.size == Drive.objects.get().size == 2 * GIB


def test_move_loses_against_one_that_came_first(drive: Drive) -> None:
    Drive.objects.update(status=Status.DELETING)
    assert not drive.become(Status.RESIZING, Status.UNMOUNTED, size=2 * GIB)
    found = Drive.objects.get()
    assert (found.status, found.size) == ("deleting", GIB)


def test_move_of_a_drive_that_is_gone_is_none(drive: Drive) -> None:
    Drive.objects.all().delete()
    assert not drive.become(Status.RESIZING, Status.UNMOUNTED)


@pytest.mark.parametrize(
    "operation",
    [operations.CreateDrive, operations.ResizeDrive],
)
@pytest.mark.parametrize("state", [Job.State.SUCCESS, Job.State.FAILED])
def test_end_of_a_job_leaves_a_drive_that_went_on_alone(
    drive: Drive, operation: type[operations.CreateDrive], state: Job.State
) -> None:
    Drive.objects.update(status=Status.DELETING)
    params = {"drive": str(drive.pk), "size": 2 * GIB}
    operation().settle(Job(operation=operation.name, params=params, state=state))
    found = Drive.objects.get()
    assert (found.status, found.size) == ("deleting", GIB)


def test_end_of_a_clone_leaves_drives_that_went_on_alone(drive: Drive, owner: User) -> None:
    clone = clone_drive(drive.pk, owner, {})
    Drive.objects.update(status=Status.UNAVAILABLE)
    runner.run_next()
    assert set(Drive.objects.values_list("status", flat=True)) == {"unavailable"}
    assert Drive.objects.filter(pk=clone.pk).exists()


def test_every_passing_status_has_a_job_that_ends_it(
    owner: User, run_jobs: Callable[[], None]
) -> None:
    sources = DriveFactory.create_batch(3, owner=owner)
    clone_drive(sources[0].pk, owner, {})
    actions.update_drive(sources[1].pk, owner, {"size": 2 * GIB})
    actions.delete_drives([sources[2].pk], owner)
    actions.create_drives(owner, [actions.DriveSpec("new", GIB)], frozenset())
    assert Job.objects.unfinished().count() == 4
    run_jobs()
    assert list(Drive.objects.values_list("status", flat=True)) == ["unmounted"] * 4
