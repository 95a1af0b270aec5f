"""What workers do for snapshots: take them, make drives of them, free them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from cloudjobs.api.exceptions import Refused
from drives.bandwidth import keep_bandwidth
from drives.models import Snapshot
from drives.operations import (
    CloneDrive,
    backend_of,
    drives_of,
    settle_copied,
    storage_failures_shown,
)
from drives.querysets import SNAPSHOTS
from drives.storage import get_host
from jobs.actions import mark_gone
from jobs.exceptions import OperationFailed
from jobs.models import Job
from jobs.progress import Progress
from jobs.registry import Operation
from tags.actions import untag


def snapshots_of(job: Job) -> Any:
    """Return the query for the snapshot that the job makes, reads or frees."""
    return Snapshot.objects.filter(pk=job.params["snapshot"])


class CreateSnapshot(Operation):
    """Copies the image of a drive on its own host; by reflink where the file system can."""

    name = "snapshot_create"
    is_internal = True

    def run(self, job: Job, progress: Progress) -> None:
        snapshot: Snapshot | None = snapshots_of(job).first()
        if snapshot is None:  # as it is once somebody else has ended this job
            raise OperationFailed("The snapshot is not there any more.")
        backend = backend_of(snapshot)
        with storage_failures_shown():
            keep_bandwidth(snapshot.storage_host)
            backend.clone(
                snapshot.pk,
                backend,
                snapshot.drive_id,
                snapshot.size,
                cursor=job.cursor,
                report=progress.report,
            )
            snapshots_of(job).update(allocated_size=backend.allocated(snapshot.pk))

    def settle(self, job: Job) -> None:
        """Let the snapshot be available, and the drive free once no copy of it is unfinished."""
        drives_of(job, "source").lock()
        succeeded = job.state == Job.State.SUCCESS
        status = Snapshot.Status.AVAILABLE if succeeded else Snapshot.Status.UNAVAILABLE
        snapshots_of(job).filter(status=Snapshot.Status.CREATING).update(status=status)
        settle_copied(job)


class CloneSnapshot(CloneDrive):
    """Copies the image of a snapshot into that of a new drive."""

    name = "snapshot_clone"

    def lock_resources(self, jobs: Sequence[Job]) -> None:
        super().lock_resources(jobs)
        Snapshot.objects.filter(pk__in={job.params["source"] for job in jobs}).lock()

    def require_source(self, job: Job) -> None:
        """Refuse to clone once more what is gone; the unfinished job keeps it from going."""
        if not snapshots_of(job).filter(status=Snapshot.Status.AVAILABLE).exists():
            raise Refused("The snapshot to be cloned was deleted.", "resources")


class DeleteSnapshot(Operation):
    """Frees the bytes of a snapshot, then its row; both may be gone already, with the drive."""

    name = "snapshot_delete"
    is_internal = True

    def run(self, job: Job, progress: Progress) -> None:
        with storage_failures_shown():
            get_host(job.params["storage_host"]).backend.delete(UUID(job.params["snapshot"]))

    def settle(self, job: Job) -> None:
        snapshots = snapshots_of(job)
        if job.state == Job.State.SUCCESS:
            mark_gone(SNAPSHOTS, job.params["snapshot"])  # locks jobs, which come before snapshots
            snapshots.lock()
            untag(SNAPSHOTS, UUID(job.params["snapshot"]))
            snapshots.delete()
        else:
            deleting = snapshots.filter(status=Snapshot.Status.DELETING)
            deleting.update(status=Snapshot.Status.UNAVAILABLE)
