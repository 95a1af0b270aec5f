"""What workers do for drives: create, clone, resize and delete images."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db.models import Exists, JSONField, Q, QuerySet

from cloudjobs.api.exceptions import BackendUnavailable, Refused
from cloudjobs.prepared import Hole, prepared_lock, prepared_update
from drives import placement
from drives.bandwidth import keep_bandwidth
from drives.models import Drive, Snapshot
from drives.querysets import KIND, SNAPSHOTS
from drives.storage import StorageBackend, StorageError, get_host
from jobs.actions import mark_gone
from jobs.exceptions import OperationFailed
from jobs.models import Job
from jobs.progress import Progress
from jobs.registry import Operation
from tags.actions import add_tags, tags_of, untag

KEPT_OF_REMOVED = (
    "name",
    "media",
    "size",
    "storage_host",
    "storage_type",
    "allow_multimount",
    "affinities",
    "meta",
)


@contextmanager
def storage_failures_shown() -> Iterator[None]:
    """Let the owner read what storage says of a failure."""
    try:
        yield
    except StorageError as error:
        raise OperationFailed(str(error), error.code, error.hint) from error


def drive_of(job: Job) -> Drive:
    """Return the drive that the job makes or changes.

    Raises:
        OperationFailed: it is gone, as it is once somebody else has ended this job.
    """
    drive: Drive | None = Drive.objects.filter(pk=job.params["drive"]).first()
    if drive is None:
        raise OperationFailed("The drive is not there any more.")
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


def backend_of(drive: Drive | Snapshot) -> StorageBackend:
    """Return the storage that holds the image of a drive or a snapshot."""
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
        with storage_failures_shown():
            keep_bandwidth(job.params["storage_host"], job.params["source_host"])
            get_host(job.params["storage_host"]).backend.clone(
                UUID(job.params["drive"]),
                get_host(job.params["source_host"]).backend,
                UUID(job.params["source"]),
                job.params["size"],
                cursor=job.cursor,
                report=progress.report,
                verified=None if job.verified is None else progress.verified,
            )

    def settle(self, job: Job) -> None:
        """Settle the clone, and the source once no clone of it is unfinished.

        The rows' locks make the last of several clones that end at the same moment see the others.
        """
        source, made = UUID(job.params["source"]), UUID(job.params["drive"])
        lock_copied(Drive, source=source, made=made)
        if job.state == Job.State.CANCELLED:
            remove_made(job)
        elif job.state == Job.State.FAILED:
            settle_made(job, Drive.Status.CLONING_DST)
        settle_copied(job)

    def lock_resources(self, jobs: Sequence[Job]) -> None:
        roles = ("drive", "source")
        Drive.objects.filter(pk__in={job.params[role] for job in jobs for role in roles}).lock()

    def ask(self, job: Job) -> None:
        get_host(job.params["storage_host"]).backend.ask()

    def discard(self, job: Job) -> None:
        """Free the bytes of a clone that is not wanted any more, if its host answers."""
        self.ask(job)
        get_host(job.params["storage_host"]).backend.delete(UUID(job.params["drive"]))

    def revive(self, job: Job) -> None:
        """Have the clone again, as it was before it was cancelled, and go on from its partial."""
        self.require_source(job)
        bring_back(job)
        try:
            keep_what_is_there(job)
            placement.require_room(job.params["storage_host"], job.weight - job.bytes_done)
        except StorageError as error:
            raise BackendUnavailable(str(error)) from error
        sources = drives_of(job, "source").filter(status__in=Drive.SETTLED)
        sources.exclude(owner=None).update(status=Drive.Status.CLONING_SRC)

    def require_source(self, job: Job) -> None:
        """Refuse to clone once more what is gone or may change."""
        require_source(job)


def unfinished_copies(source: UUID) -> QuerySet:
    """Return the jobs that are still to read this image: clones and snapshots."""
    return unfinished_jobs_with(source, str(source))


def unfinished_jobs_with(resource: Any, source: Any) -> QuerySet:
    """Return the unfinished jobs of an object which is the source of what they do."""
    return Job.objects.unfinished().filter(links__object_uuid=resource, params__source=source)


@prepared_lock
def lock_copied(drives: Any) -> QuerySet:
    """Lock the drive that a copy made, and its source."""
    return drives.filter(pk__in=[Hole("made"), Hole("source")]).locked().values("pk")


def settle_copied(job: Job) -> None:
    """Settle the drive that a copy made, if any, and its source if that is not read any more."""
    source, made = job.params["source"], job.params.get("drive")
    settle_made_and_source(
        Drive, made=made and UUID(made), source=UUID(source), source_in_params=source
    )


@prepared_update
def settle_made_and_source(drives: Any) -> tuple[QuerySet, dict[str, Any]]:
    """Settle the drive that was made, and its source once no copy of that is unfinished."""
    made = Q(pk=Hole("made"), status=Drive.Status.CLONING_DST)
    copies = unfinished_jobs_with(Hole("source"), Hole("source_in_params", JSONField()))
    free = Q(~Exists(copies), pk=Hole("source"), status=Drive.Status.CLONING_SRC)
    return drives.filter(made | free), {"status": drives.all().settled_status()}


def remove_made(job: Job) -> None:
    """Delete the row of a drive whose making was cancelled; the job keeps what it was."""
    for drive in drives_of(job, "drive"):
        job.params["removed"] = {name: getattr(drive, name) for name in KEPT_OF_REMOVED}
        job.params["tags"] = [str(tag) for tag in tags_of(KIND, drive.pk)]
        Job.objects.filter(pk=job.pk).update(params=job.params)
        mark_gone(KIND, drive.pk)
        untag(KIND, drive.pk)
        drive.delete()


def require_source(job: Job) -> None:
    """Refuse to clone once more what is gone or may change."""
    source = drives_of(job, "source").first()
    if source is None:
        raise Refused("The drive to be cloned was deleted.", "resources")
    if not source.is_readable or (source.is_in_use and not source.is_in_library):
        status = "in use" if source.is_readable else source.status
        raise Refused(f"The drive to be cloned is {status}.", "resources")
    if source.size > job.params["size"]:
        raise Refused("The drive to be cloned has outgrown its clone.", "resources")


def bring_back(job: Job) -> None:
    """Let the drive that the job makes be in the making again, if need be from what was kept."""
    removed = job.params.pop("removed", None)
    if removed is not None:
        values = removed | {"uuid": job.params["drive"], "owner_id": job.owner_id}
        drive = Drive.objects.create(status=Drive.Status.CLONING_DST, **values)
        tags = [UUID(tag) for tag in job.params.pop("tags", [])]
        add_tags(KIND, drive.pk, job.owner, tags)
        for resource in job.resources:
            resource["is_gone"] &= resource["uuid"] != job.params["drive"]
        return
    unavailable = drives_of(job, "drive").filter(status=Drive.Status.UNAVAILABLE)
    if not unavailable.update(status=Drive.Status.CLONING_DST):
        raise Refused("The new drive was deleted; clone the source again instead.", "resources")


def keep_what_is_there(job: Job) -> None:
    """Go on from the cursor if the partial reaches so far, else from the beginning.

    The source was free in between. If it changed, a clone that went on would have some bytes of
    then and some of now, and there may be more of them.
    """
    clone, backend = UUID(job.params["drive"]), get_host(job.params["storage_host"]).backend
    if has_changed_since(job):
        source = get_host(job.params["source_host"]).backend
        job.weight = min(source.allocated(UUID(job.params["source"])), job.params["size"])
        backend.delete(clone)  # once it is known that the source answers
    if not job.cursor or backend.partial_size(clone) < job.cursor:
        job.cursor = job.bytes_done = 0
        job.verified = job.verified and 0


def has_changed_since(job: Job) -> bool:
    """Was the job's source written to after the last attempt began, or can that not be told?"""
    backend = get_host(job.params["source_host"]).backend
    try:
        changed_at = backend.changed_at(UUID(job.params["source"]))
    except StorageError:
        return True
    return job.claimed_at is None or changed_at > job.claimed_at.timestamp()


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
    """Frees the bytes of a drive and its snapshots, then their rows."""

    name = "drive_delete"
    is_internal = True

    def run(self, job: Job, progress: Progress) -> None:
        drive = Drive.objects.filter(pk=job.params["drive"]).first()
        if drive is None:
            return  # an attempt before this one has ended the job, which the end of this one learns
        with storage_failures_shown():
            for snapshot in drive.snapshots.all():
                backend_of(snapshot).delete(snapshot.pk)
            backend_of(drive).delete(drive.pk)

    def settle(self, job: Job) -> None:
        drives = drives_of(job, "drive")
        snapshots = Snapshot.objects.filter(drive=job.params["drive"])
        if job.state == Job.State.SUCCESS:
            for snapshot in snapshots.values_list("pk", flat=True):
                mark_gone(SNAPSHOTS, snapshot)
            mark_gone(KIND, job.params["drive"])  # locks jobs, which come before drives
            drives.lock()
            snapshots.lock()
            untag(KIND, job.params["drive"])
            for snapshot in snapshots.values_list("pk", flat=True):
                untag(SNAPSHOTS, snapshot)
            drives.delete()
        else:
            drives.lock()
            for each in (drives, snapshots):
                each.filter(status=Drive.Status.DELETING).update(status=Drive.Status.UNAVAILABLE)
