"""What workers do for drives: create, clone, resize and delete images."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from drives.models import Drive
from drives.querysets import KIND
from drives.storage import StorageBackend, StorageError, get_host
from jobs.actions import mark_gone
from jobs.exceptions import OperationFailed
from jobs.models import Job
from jobs.progress import Progress
from jobs.registry import Operation


@contextmanager
def storage_failures_shown() -> Iterator[None]:
    """Let the owner read what storage says of a failure."""
    try:
        yield
    except StorageError as error:
        raise OperationFailed(str(error)) from error


def drive_of(job: Job) -> Drive:
    """Return the drive that the job makes or changes."""
    drive: Drive = Drive.objects.get(pk=job.params["drive"])
    return drive


def locked_drive_of(job: Job) -> Drive:
    """Return the same drive; nobody mounts or changes it until the transaction ends."""
    drive: Drive = Drive.objects.locked().get(pk=job.params["drive"])
    return drive


def clone_and_source(job: Job, drives: Any) -> tuple[Drive, Drive]:
    """Return the two drives of a clone's job, in one query."""
    keys = (job.params["drive"], job.params["source"])
    found = {str(drive.pk): drive for drive in drives.filter(pk__in=keys)}
    return found[keys[0]], found[keys[1]]


def settle_made(job: Job, drive: Drive, passing: Drive.Status) -> None:
    """Let a drive that was being made be settled, or unavailable if its job did not succeed."""
    succeeded = job.state == Job.State.SUCCESS
    drive.become(drive.settled_status if succeeded else Drive.Status.UNAVAILABLE, passing)


def backend_of(drive: Drive) -> StorageBackend:
    """Return the storage that holds the drive's image."""
    return get_host(drive.storage_host).backend


class CreateDrive(Operation):
    """Makes an empty image."""

    name = "drive_create"
    is_internal = True

    def run(self, job: Job, progress: Progress) -> None:
        drive = drive_of(job)
        with storage_failures_shown():
            backend_of(drive).create(drive.pk, drive.size)

    def settle(self, job: Job) -> None:
        settle_made(job, locked_drive_of(job), Drive.Status.CREATING)


class CloneDrive(Operation):
    """Copies the image of one drive into that of a new one."""

    name = "drive_clone"

    def run(self, job: Job, progress: Progress) -> None:
        drive, source = clone_and_source(job, Drive.objects)
        with storage_failures_shown():
            backend_of(drive).clone(
                drive.pk,
                backend_of(source),
                source.pk,
                drive.size,
                cursor=job.cursor,
                report=progress.report,
            )

    def settle(self, job: Job) -> None:
        """Settle the clone, and the source once no clone of it is unfinished.

        The rows' locks make the last of several clones that end at the same moment see the others.
        """
        clone, source = clone_and_source(job, Drive.objects.locked())
        settle_made(job, clone, Drive.Status.CLONING_DST)
        clones = Job.objects.unfinished().filter(operation=self.name)
        if not clones.filter(params__source=str(source.pk)).exists():
            source.become(source.settled_status, Drive.Status.CLONING_SRC)


class ResizeDrive(Operation):
    """Grows an image; the drive's size follows when it is done."""

    name = "drive_resize"
    is_internal = True

    def run(self, job: Job, progress: Progress) -> None:
        drive = drive_of(job)
        with storage_failures_shown():
            backend_of(drive).grow(drive.pk, job.params["size"])

    def settle(self, job: Job) -> None:
        drive = locked_drive_of(job)
        grown = job.params["size"] if job.state == Job.State.SUCCESS else drive.size
        drive.become(drive.settled_status, Drive.Status.RESIZING, size=grown)


class DeleteDrive(Operation):
    """Frees the bytes of a drive, then its row."""

    name = "drive_delete"
    is_internal = True

    def run(self, job: Job, progress: Progress) -> None:
        drive = drive_of(job)
        with storage_failures_shown():
            backend_of(drive).delete(drive.pk)

    def settle(self, job: Job) -> None:
        drive = locked_drive_of(job)
        if job.state == Job.State.SUCCESS:
            drive.delete()
            mark_gone(KIND, job.params["drive"])
        else:
            drive.become(Drive.Status.UNAVAILABLE, Drive.Status.DELETING)
