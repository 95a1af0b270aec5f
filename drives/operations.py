"""What workers do for drives: create, clone, resize and delete images."""

from collections.abc import Iterator
from contextlib import contextmanager

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
        settled = (
            Drive.Status.UNMOUNTED if job.state == Job.State.SUCCESS else Drive.Status.UNAVAILABLE
        )
        drive_of(job).become(settled, Drive.Status.CREATING)


class CloneDrive(Operation):
    """Copies the image of one drive into that of a new one."""

    name = "drive_clone"

    def run(self, job: Job, progress: Progress) -> None:
        drive, source = drive_of(job), Drive.objects.get(pk=job.params["source"])
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
        settled = (
            Drive.Status.UNMOUNTED if job.state == Job.State.SUCCESS else Drive.Status.UNAVAILABLE
        )
        drive_of(job).become(settled, Drive.Status.CLONING_DST)
        self.free_source(job)

    def free_source(self, job: Job) -> None:
        """Let the source go once no clone of it is unfinished.

        The row's lock makes the last of several clones that end at the same moment see the others.
        """
        source = Drive.objects.locked().get(pk=job.params["source"])
        clones = Job.objects.unfinished().filter(operation=self.name)
        if not clones.filter(params__source=str(source.pk)).exists():
            source.become(Drive.Status.UNMOUNTED, Drive.Status.CLONING_SRC)


class ResizeDrive(Operation):
    """Grows an image; the drive's size follows when it is done."""

    name = "drive_resize"
    is_internal = True

    def run(self, job: Job, progress: Progress) -> None:
        drive = drive_of(job)
        with storage_failures_shown():
            backend_of(drive).grow(drive.pk, job.params["size"])

    def settle(self, job: Job) -> None:
        drive = drive_of(job)
        grown = job.params["size"] if job.state == Job.State.SUCCESS else drive.size
        drive.become(Drive.Status.UNMOUNTED, Drive.Status.RESIZING, size=grown)


class DeleteDrive(Operation):
    """Frees the bytes of a drive, then its row."""

    name = "drive_delete"
    is_internal = True

    def run(self, job: Job, progress: Progress) -> None:
        drive = drive_of(job)
        with storage_failures_shown():
            backend_of(drive).delete(drive.pk)

    def settle(self, job: Job) -> None:
        drive = drive_of(job)
        if job.state == Job.State.SUCCESS:
            drive.delete()
            mark_gone(KIND, job.params["drive"])
        else:
            drive.become(Drive.Status.UNAVAILABLE, Drive.Status.DELETING)
