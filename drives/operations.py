"""What workers do for drives: create, clone, resize and delete images."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

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


def drives_of(job: Job, *roles: str) -> Any:
    """Return the query for the drives that have these roles in the job, such as its source."""
    return Drive.objects.filter(pk__in=[job.params[role] for role in roles])


def settle_made(job: Job, passing: Drive.Status) -> None:
    """Let a drive that was being made be settled, or unavailable if its job did not succeed."""
    made = drives_of(job, "drive").filter(status=passing)
    if job.state == Job.State.SUCCESS:
        made.settle()
    else:
        made.update(status=Drive.Status.UNAVAILABLE)


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
        drives_of(job, "drive").lock()
        settle_made(job, Drive.Status.CREATING)


class CloneDrive(Operation):
    """Copies the image of one drive into that of a new one."""

    name = "drive_clone"

    def run(self, job: Job, progress: Progress) -> None:
        drives = drives_of(job, "drive", "source").in_bulk()
        drive, source = (drives[UUID(job.params[role])] for role in ("drive", "source"))
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
        drives_of(job, "drive", "source").lock()
        settle_made(job, Drive.Status.CLONING_DST)
        clones = Job.objects.unfinished().filter(operation=self.name)
        if not clones.filter(params__source=job.params["source"]).exists():
            drives_of(job, "source").filter(status=Drive.Status.CLONING_SRC).settle()


class ResizeDrive(Operation):
    """Grows an image; the drive's size follows when it is done."""

    name = "drive_resize"
    is_internal = True

    def run(self, job: Job, progress: Progress) -> None:
        drive = drive_of(job)
        with storage_failures_shown():
            backend_of(drive).grow(drive.pk, job.params["size"])

    def settle(self, job: Job) -> None:
        drives_of(job, "drive").lock()
        resized = drives_of(job, "drive").filter(status=Drive.Status.RESIZING)
        grown = {"size": job.params["size"]} if job.state == Job.State.SUCCESS else {}
        resized.settle(**grown)


class DeleteDrive(Operation):
    """Frees the bytes of a drive, then its row."""

    name = "drive_delete"
    is_internal = True

    def run(self, job: Job, progress: Progress) -> None:
        drive = drive_of(job)
        with storage_failures_shown():
            backend_of(drive).delete(drive.pk)

    def settle(self, job: Job) -> None:
        drives = drives_of(job, "drive")
        drives.lock()
        if job.state == Job.State.SUCCESS:
            drives.delete()
            mark_gone(KIND, job.params["drive"])
        else:
            drives.filter(status=Drive.Status.DELETING).update(status=Drive.Status.UNAVAILABLE)
