"""Compares storage with the database, and puts right where they disagree.

Whatever dies in between leaves something: half an upload, an image whose row was not written, a row
whose image somebody deleted. Nothing is taken for a leftover before it was left alone for a while,
and each is looked at once more, under its lock, before anything is done about it.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from drives import actions, operations
from drives.models import Drive
from drives.querysets import KIND
from drives.storage import StorageHost, StoredImage, all_hosts, get_host
from jobs.models import Job, JobLink

LEFT_ALONE_SECONDS = 600  # an upload that goes on changes its file all the time
PASSING = tuple(set(Drive.Status) - {*Drive.SETTLED, Drive.Status.UNAVAILABLE})
IN_THE_MAKING = (Drive.Status.CREATING, Drive.Status.CLONING_DST)


class Fault(StrEnum):
    """How storage and database can disagree."""

    IMAGE_WITHOUT_DRIVE = "image without a drive"
    PARTIAL_WITHOUT_JOB = "partial image without a job"
    DRIVE_WITHOUT_IMAGE = "drive without an image"
    STATUS_WITHOUT_JOB = "passing status without a job"


@dataclass(frozen=True)
class Finding:
    """One disagreement: about which drive or image, where, and what would be done about it."""

    fault: Fault
    host: str
    uuid: UUID
    detail: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.host} {self.uuid}: {self.fault} ({self.detail}); {self.remedy}"


def find() -> list[Finding]:
    """Return all disagreements, host by host; changes nothing."""
    found = [finding for host in all_hosts() for finding in on_host(host)]
    return [*found, *without_job()]


def fix(finding: Finding) -> bool:
    """Put one right, if it still is as it was found; tell whether anything was done."""
    return REMEDIES[finding.fault](finding)


def on_host(host: StorageHost) -> Iterator[Finding]:
    stored = list(host.backend.listing())
    drives = dict(Drive.objects.filter(storage_host=host.name).values_list("pk", "status"))
    for image in stored:
        if time.time() - image.changed_at > LEFT_ALONE_SECONDS:
            yield from about_image(host, image, drives.get(image.uuid))
    whole = {image.uuid for image in stored if not image.is_partial}
    for uuid in drives.keys() - whole:
        if drives[uuid] in Drive.SETTLED and not host.backend.exists(uuid):
            detail, remedy = f"{drives[uuid]}", "it becomes unavailable"
            yield Finding(Fault.DRIVE_WITHOUT_IMAGE, host.name, uuid, detail, remedy)


def about_image(host: StorageHost, image: StoredImage, status: str | None) -> Iterator[Finding]:
    """Yield what is wrong with an image that nobody touched for a while."""
    detail, remedy = f"{image.used} bytes", "its bytes are freed"
    if image.is_partial and not is_wanted(image.uuid, status):
        yield Finding(Fault.PARTIAL_WITHOUT_JOB, host.name, image.uuid, detail, remedy)
    if not image.is_partial and status is None and not is_known(image.uuid, host.name):
        yield Finding(Fault.IMAGE_WITHOUT_DRIVE, host.name, image.uuid, detail, remedy)


def is_known(uuid: UUID, host: str) -> bool:
    return Drive.objects.filter(pk=uuid, storage_host=host).exists()


def is_wanted(uuid: UUID, status: str | None) -> bool:
    """Will the partial of this drive be used? A failed clone may be retried and goes on from it."""
    if status == Drive.Status.UNAVAILABLE:
        failed = Job.objects.filter(state=Job.State.FAILED, operation=operations.CloneDrive.name)
        return failed.linked_to(KIND, [uuid]).exists()
    return status in IN_THE_MAKING


def without_job() -> Iterator[Finding]:
    """Yield the drives whose status passes although nothing will make it pass."""
    for drive in stuck(Drive.objects.all()):
        remedy = "it is deleted again" if drive.status == Drive.Status.DELETING else "it is settled"
        host, detail = drive.storage_host, drive.status
        yield Finding(Fault.STATUS_WITHOUT_JOB, host, drive.pk, detail, remedy)


def stuck(drives: QuerySet[Drive]) -> QuerySet[Drive]:
    links = JobLink.objects.filter(kind=KIND, object_uuid=OuterRef("pk"))
    return drives.filter(~Exists(links.filter(job__state=Job.State.STARTED)), status__in=PASSING)


def free_image(finding: Finding) -> bool:
    """Free an image that still has no row."""
    if is_known(finding.uuid, finding.host):
        return False
    get_host(finding.host).backend.delete(finding.uuid)
    return True


@transaction.atomic
def free_partial(finding: Finding) -> bool:
    """Free a partial that still nobody will use; no job can be retried meanwhile."""
    drive = Drive.objects.filter(pk=finding.uuid).locked().first()
    if is_wanted(finding.uuid, drive.status if drive else None):
        return False
    get_host(finding.host).backend.discard_partial(finding.uuid)
    return True


def give_up_drive(finding: Finding) -> bool:
    """Let a drive be unavailable whose image is still missing."""
    if get_host(finding.host).backend.exists(finding.uuid):
        return False
    settled = Drive.objects.filter(pk=finding.uuid, status__in=Drive.SETTLED)
    return bool(settled.update(status=Drive.Status.UNAVAILABLE))


@transaction.atomic
def settle_drive(finding: Finding) -> bool:
    """Settle a drive that still has no job: by whether its whole image is there."""
    locked = Drive.objects.filter(pk=finding.uuid).locked().select_related("owner")
    drive = stuck(locked).first()
    if drive is None:
        return False
    if drive.status == Drive.Status.DELETING:
        actions.submit_internal(operations.DeleteDrive.name, drive)
    elif get_host(drive.storage_host).backend.exists(drive.pk):
        Drive.objects.filter(pk=drive.pk).settle()
    else:
        drive.become(Drive.Status.UNAVAILABLE, drive.status)
    return True


REMEDIES = {
    Fault.IMAGE_WITHOUT_DRIVE: free_image,
    Fault.PARTIAL_WITHOUT_JOB: free_partial,
    Fault.DRIVE_WITHOUT_IMAGE: give_up_drive,
    Fault.STATUS_WITHOUT_JOB: settle_drive,
}
