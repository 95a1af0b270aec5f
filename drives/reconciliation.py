"""Compares storage with the database, and puts right where they disagree.

Whatever dies in between leaves something: half an upload, an image whose row was not written, a row
whose image somebody deleted. Nothing is taken for a leftover before it was left alone for a while,
and each is looked at once more, under its lock, before anything is done about it.

The worst thing to do here is to believe the wrong side. If storage and database have nothing in
common, a disk is not mounted or the database is another one: that is told, and nothing is touched.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from cloudjobs.announcing import announce
from drives import actions, operations
from drives.models import Drive, Snapshot
from drives.querysets import KIND
from drives.snapshots import actions as snapshots
from drives.storage import StorageError, StorageHost, StoredImage, all_hosts, get_host
from jobs.models import Job, JobLink

LEFT_ALONE_SECONDS = 600  # an upload that goes on changes its file all the time
MODELS = (Drive, Snapshot)
Row = Drive | Snapshot
WHOLE = (*Drive.SETTLED, Snapshot.Status.AVAILABLE)  # their images are there
IN_THE_MAKING = (Drive.Status.CREATING, Drive.Status.CLONING_DST, Drive.Status.UPLOADING)


class Fault(StrEnum):
    """How storage and database can disagree."""

    IMAGE_WITHOUT_DRIVE = "image without a drive"
    PARTIAL_WITHOUT_JOB = "partial image without a job"
    DRIVE_WITHOUT_IMAGE = "drive or snapshot without an image"
    STATUS_WITHOUT_JOB = "passing status without a job"
    IMAGE_ELSEWHERE = "image of a drive that lies on another host"
    UNAVAILABLE_WITH_IMAGE = "unavailable drive with its whole image"
    NOTHING_IN_COMMON = "storage and database have nothing in common"
    STORAGE_AWAY = "storage that does not answer"


@dataclass(frozen=True)
class Finding:
    """One disagreement: about which drive or image, where, and what would be done about it.

    Without `uuid` it is about the whole host.
    """

    fault: Fault
    host: str
    uuid: UUID | None
    detail: str
    remedy: str = "nothing is done"

    def __str__(self) -> str:
        about = f"{self.host} {self.uuid}" if self.uuid else self.host
        return f"{about}: {self.fault} ({self.detail}); {self.remedy}"


def find() -> list[Finding]:
    """Return all disagreements, host by host; changes nothing."""
    found = [finding for host in all_hosts() for finding in on_host(host)]
    return [*found, *without_job()]


def fix(finding: Finding) -> bool:
    """Put one right, if it still is as it was found; tell whether anything was done.

    Where the storage is away, nothing is.
    """
    remedy = REMEDIES.get(finding.fault)
    try:
        if remedy is None or finding.uuid is None or not remedy(finding.host, finding.uuid):
            return False
    except StorageError:
        return False
    drive = Drive.objects.filter(pk=finding.uuid).first()
    announce(drive and drive.owner_id, [(KIND, finding.uuid)])
    return True


def on_host(host: StorageHost) -> Iterator[Finding]:
    """Yield what disagrees on a host, up to where it does not answer any more."""
    try:
        yield from disagreements_on(host)
    except StorageError as error:
        yield Finding(Fault.STORAGE_AWAY, host.name, None, str(error))


def disagreements_on(host: StorageHost) -> Iterator[Finding]:
    host.backend.ask()
    stored, rows = list(host.backend.listing()), rows_on(host)
    whole = {image.uuid for image in stored if not image.is_partial}
    settled = {uuid for uuid, row in rows.items() if row.status in WHOLE}
    if (whole or settled) and not whole & rows.keys():
        detail = f"images: {len(whole)}, drives: {len(settled)}"
        yield Finding(Fault.NOTHING_IN_COMMON, host.name, None, detail)
        return
    for image in stored:
        if time.time() - image.changed_at > LEFT_ALONE_SECONDS:
            yield from about_image(host, image, rows.get(image.uuid))
    for uuid in settled - whole:
        if not host.backend.exists(uuid):
            detail, remedy = rows[uuid].status, "it becomes unavailable"
            yield Finding(Fault.DRIVE_WITHOUT_IMAGE, host.name, uuid, detail, remedy)


def rows_on(host: StorageHost) -> dict[UUID, Row]:
    """Return the drives and snapshots that lie on a host."""
    rows: dict[UUID, Row] = {}
    for model in MODELS:
        rows |= model.objects.filter(storage_host=host.name).in_bulk()
    return rows


def row_of(uuid: UUID) -> Row | None:
    """Return the drive or snapshot of this uuid, wherever it lies."""
    rows: list[Row | None] = [model.objects.filter(pk=uuid).first() for model in MODELS]
    return next((row for row in rows if row is not None), None)


def about_image(host: StorageHost, image: StoredImage, row: Row | None) -> Iterator[Finding]:
    """Yield what is wrong with an image that nobody touched for a while."""
    size, freed = f"{image.used} bytes", "its bytes are freed"
    if image.is_partial:
        if not is_wanted(host.name, image.uuid):
            yield Finding(Fault.PARTIAL_WITHOUT_JOB, host.name, image.uuid, size, freed)
    elif row is None:
        known = row_of(image.uuid)
        if known is None:
            yield Finding(Fault.IMAGE_WITHOUT_DRIVE, host.name, image.uuid, size, freed)
        elif known.storage_host != host.name:
            yield Finding(Fault.IMAGE_ELSEWHERE, host.name, image.uuid, size)
    elif is_unavailable_for_nothing(row):
        remedy = "it is settled"
        yield Finding(Fault.UNAVAILABLE_WITH_IMAGE, host.name, row.pk, size, remedy)


def is_unavailable_for_nothing(drive: Row) -> bool:
    """Is the drive's image whole, and no failed clone left to be retried?"""
    if not isinstance(drive, Drive) or drive.status != Drive.Status.UNAVAILABLE:
        return False
    if has_failed_clone(drive.pk):
        return False
    return get_host(drive.storage_host).backend.size(drive.pk) == drive.size


def is_wanted(host: str, uuid: UUID) -> bool:
    """Will the partial be used? A failed clone may be retried and goes on from it."""
    if get_host(host).backend.is_being_written(uuid):
        return True
    row = row_of(uuid)
    status = row.status if row else None
    is_kept = status == Drive.Status.UNAVAILABLE and has_failed_clone(uuid)
    return is_kept or status in IN_THE_MAKING


def has_failed_clone(uuid: UUID) -> bool:
    failed = Job.objects.visible().filter(state=Job.State.FAILED)
    return bool(failed.linked_to(KIND, [uuid]).exists())


def without_job() -> Iterator[Finding]:
    """Yield the drives and snapshots whose status passes although nothing will make it pass."""
    found: list[Row] = list(stuck(Drive.objects.all()))
    found += snapshots.stuck(Snapshot.objects.all())
    for drive in found:
        again = drive.status == Drive.Status.DELETING and drive.owner_id is not None
        remedy = "it is deleted again" if again else "it is settled"
        host, detail = drive.storage_host, drive.status
        yield Finding(Fault.STATUS_WITHOUT_JOB, host, drive.pk, detail, remedy)


def stuck(drives: QuerySet[Drive]) -> QuerySet[Drive]:
    links = JobLink.objects.filter(kind=KIND, object_uuid=OuterRef("pk"))
    worked_on = Exists(links.filter(job__state=Job.State.STARTED))
    uploading = Q(status=Drive.Status.UPLOADING, upload__isnull=False)
    return drives.filter(~worked_on, status__in=Drive.PASSING).exclude(uploading)


def free_image(host: str, uuid: UUID) -> bool:
    """Free an image that still has no row."""
    if row_of(uuid) is not None:
        return False
    get_host(host).backend.delete(uuid)
    return True


@transaction.atomic
def free_partial(host: str, uuid: UUID) -> bool:
    """Free a partial that still nobody will use; no job can be retried meanwhile."""
    for model in MODELS:
        model.objects.filter(pk=uuid).lock()
    if is_wanted(host, uuid):
        return False
    get_host(host).backend.discard_partial(uuid)
    return True


def give_up_drive(host: str, uuid: UUID) -> bool:
    """Let a drive be unavailable whose image is still missing."""
    if get_host(host).backend.exists(uuid):
        return False
    whole = [model.objects.filter(pk=uuid, status__in=WHOLE) for model in MODELS]
    return any(rows.update(status=Drive.Status.UNAVAILABLE) for rows in whole)


@transaction.atomic
def settle_unavailable(host: str, uuid: UUID) -> bool:
    """Give a drive back whose image is whole."""
    drive = Drive.objects.filter(pk=uuid, storage_host=host).locked().first()
    if drive is None or not is_unavailable_for_nothing(drive):
        return False
    return bool(Drive.objects.filter(pk=uuid).settle())


@transaction.atomic
def settle_stuck(host: str, uuid: UUID) -> bool:
    """Settle a drive that still has no job: by whether its whole image is there.

    What was deleted is deleted again; not from the library, as a job belongs to somebody.
    """
    Drive.objects.filter(pk=uuid).lock()
    drive = stuck(Drive.objects.filter(pk=uuid).select_related("owner")).first()
    if drive is None:
        return snapshots.settle_stuck(uuid)
    if drive.status == Drive.Status.DELETING and drive.owner:
        actions.submit_internal(operations.DeleteDrive.name, drive, drive.owner)
    elif get_host(host).backend.exists(uuid):
        Drive.objects.filter(pk=uuid).settle()
    else:
        drive.become(Drive.Status.UNAVAILABLE, drive.status)
    return True


REMEDIES = {
    Fault.IMAGE_WITHOUT_DRIVE: free_image,
    Fault.PARTIAL_WITHOUT_JOB: free_partial,
    Fault.DRIVE_WITHOUT_IMAGE: give_up_drive,
    Fault.STATUS_WITHOUT_JOB: settle_stuck,
    Fault.UNAVAILABLE_WITH_IMAGE: settle_unavailable,
}
