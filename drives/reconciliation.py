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

from drives import actions, operations
from drives.models import Drive
from drives.querysets import KIND
from drives.storage import StorageError, StorageHost, StoredImage, all_hosts, get_host
from jobs.models import Job, JobLink

LEFT_ALONE_SECONDS = 600  # an upload that goes on changes its file all the time
PASSING = tuple(set(Drive.Status) - {*Drive.SETTLED, Drive.Status.UNAVAILABLE})
IN_THE_MAKING = (Drive.Status.CREATING, Drive.Status.CLONING_DST, Drive.Status.UPLOADING)


class Fault(StrEnum):
    """How storage and database can disagree."""

    IMAGE_WITHOUT_DRIVE = "image without a drive"
    PARTIAL_WITHOUT_JOB = "partial image without a job"
    DRIVE_WITHOUT_IMAGE = "drive without an image"
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
    """Put one right, if it still is as it was found; tell whether anything was done."""
    remedy = REMEDIES.get(finding.fault)
    return remedy(finding.host, finding.uuid) if remedy and finding.uuid else False


def on_host(host: StorageHost) -> Iterator[Finding]:
    try:
        stored = list(host.backend.listing())
    except StorageError as error:
        yield Finding(Fault.STORAGE_AWAY, host.name, None, str(error))
        return
    drives = Drive.objects.filter(storage_host=host.name).in_bulk()
    whole = {image.uuid for image in stored if not image.is_partial}
    settled = {uuid for uuid, drive in drives.items() if drive.status in Drive.SETTLED}
    if (whole or settled) and not whole & drives.keys():
        detail = f"images: {len(whole)}, drives: {len(settled)}"
        yield Finding(Fault.NOTHING_IN_COMMON, host.name, None, detail)
        return
    for image in stored:
        if time.time() - image.changed_at > LEFT_ALONE_SECONDS:
            yield from about_image(host, image, drives.get(image.uuid))
    for uuid in settled - whole:
        if not host.backend.exists(uuid):
            detail, remedy = drives[uuid].status, "it becomes unavailable"
            yield Finding(Fault.DRIVE_WITHOUT_IMAGE, host.name, uuid, detail, remedy)


def about_image(host: StorageHost, image: StoredImage, drive: Drive | None) -> Iterator[Finding]:
    """Yield what is wrong with an image that nobody touched for a while."""
    size, freed = f"{image.used} bytes", "its bytes are freed"
    if image.is_partial:
        if not is_wanted(host.name, image.uuid):
            yield Finding(Fault.PARTIAL_WITHOUT_JOB, host.name, image.uuid, size, freed)
    elif drive is None:
        known = Drive.objects.filter(pk=image.uuid).first()
        if known is None:
            yield Finding(Fault.IMAGE_WITHOUT_DRIVE, host.name, image.uuid, size, freed)
        elif known.storage_host != host.name:
            yield Finding(Fault.IMAGE_ELSEWHERE, host.name, image.uuid, size)
    elif is_unavailable_for_nothing(drive):
        remedy = "it is settled"
        yield Finding(Fault.UNAVAILABLE_WITH_IMAGE, host.name, drive.pk, size, remedy)


def is_unavailable_for_nothing(drive: Drive) -> bool:
    """Is the image whole, and no failed clone left to be retried?"""
    if drive.status != Drive.Status.UNAVAILABLE or has_failed_clone(drive.pk):
        return False
    return get_host(drive.storage_host).backend.size(drive.pk) == drive.size


def is_wanted(host: str, uuid: UUID) -> bool:
    """Will the partial be used? A failed clone may be retried and goes on from it."""
    if get_host(host).backend.is_being_written(uuid):
        return True
    status = Drive.objects.filter(pk=uuid).values_list("status", flat=True).first()
    is_kept = status == Drive.Status.UNAVAILABLE and has_failed_clone(uuid)
    return is_kept or status in IN_THE_MAKING


def has_failed_clone(uuid: UUID) -> bool:
    failed = Job.objects.filter(state=Job.State.FAILED, operation=operations.CloneDrive.name)
    return bool(failed.linked_to(KIND, [uuid]).exists())


def without_job() -> Iterator[Finding]:
    """Yield the drives whose status passes although nothing will make it pass."""
    for drive in stuck(Drive.objects.all()):
        again = drive.status == Drive.Status.DELETING and not drive.is_in_library
        remedy = "it is deleted again" if again else "it is settled"
        host, detail = drive.storage_host, drive.status
        yield Finding(Fault.STATUS_WITHOUT_JOB, host, drive.pk, detail, remedy)


def stuck(drives: QuerySet[Drive]) -> QuerySet[Drive]:
    links = JobLink.objects.filter(kind=KIND, object_uuid=OuterRef("pk"))
    worked_on = Exists(links.filter(job__state=Job.State.STARTED))
    uploading = Q(status=Drive.Status.UPLOADING, upload__isnull=False)
    return drives.filter(~worked_on, status__in=PASSING).exclude(uploading)


def free_image(host: str, uuid: UUID) -> bool:
    """Free an image that still has no row."""
    if Drive.objects.filter(pk=uuid).exists():
        return False
    get_host(host).backend.delete(uuid)
    return True


@transaction.atomic
def free_partial(host: str, uuid: UUID) -> bool:
    """Free a partial that still nobody will use; no job can be retried meanwhile."""
    Drive.objects.filter(pk=uuid).lock()
    if is_wanted(host, uuid):
        return False
    get_host(host).backend.discard_partial(uuid)
    return True


def give_up_drive(host: str, uuid: UUID) -> bool:
    """Let a drive be unavailable whose image is still missing."""
    if get_host(host).backend.exists(uuid):
        return False
    settled = Drive.objects.filter(pk=uuid, status__in=Drive.SETTLED)
    return bool(settled.update(status=Drive.Status.UNAVAILABLE))


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
        return False
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
