"""What can be done with uploads in chunks: begin one, store a chunk, give it up.

A chunk is on the disk before it is noted, so a web server may die at any moment. Whoever notes the
last one publishes the image. If another request still writes then (one that was sent twice), or the
server dies in between, the next request about the upload does it, or the purge.
"""

import logging
from datetime import datetime, timedelta
from typing import BinaryIO
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from cloudjobs.announcing import announce
from cloudjobs.api.bodies import make_each
from cloudjobs.api.exceptions import (
    BackendUnavailable,
    Invalid,
    Missing,
    PointedError,
    Refused,
)
from drives import placement
from drives.actions import DriveSpec, delete_locked, insert_drive
from drives.models import Drive, Upload
from drives.operations import backend_of
from drives.querysets import KIND
from drives.storage import ImageMissing, StorageError, UploadIncomplete, storage_types
from drives.uploads.spans import Span, bytes_in, is_received, with_span
from jobs.asking import after_asking
from jobs.outages import drop_broken_connection
from tags.actions import tag_object

logger = logging.getLogger(__name__)

BLOCK = 256 * 1024  # bytes


@after_asking
@transaction.atomic
def begin_uploads(owner: User, specs: list[DriveSpec], avoid: frozenset[UUID]) -> list[Drive]:
    """Make drives whose images come in chunks, all or none; `size` is that of the file.

    Raises:
        Invalid: size or storage type of one cannot be, or there is no such tag; the point says
            which one, if several.
        BackendUnavailable: the bytes do not fit.
    """
    hosts = placement.hosts_to_avoid(owner, avoid)
    drives = make_each(specs, lambda spec: insert_upload(owner, spec, hosts))
    try:
        for drive in drives:
            backend_of(drive).begin(drive.pk)
    except StorageError as error:
        for drive in drives:
            backend_of(drive).discard_partial(drive.pk)
        raise BackendUnavailable(str(error)) from error
    return drives


def insert_upload(owner: User, spec: DriveSpec, avoid: frozenset[str]) -> Drive:
    """Insert a drive that has the size of the file until all of it is there."""
    storage_type = spec.storage_type or storage_types()[0]
    size = placement.uploaded_size(storage_type, spec.size)
    host = placement.choose_host(storage_type, size, needed=spec.size, avoid=avoid)
    drive = insert_drive(uuid4(), owner, spec, spec.size, host.name, Drive.Status.UPLOADING)
    Upload.objects.create(drive=drive, length=spec.size, size=size)
    announce(owner.pk, [(KIND, drive.pk)])
    tag_object(KIND, drive.pk, owner, spec.tags)
    return drive


def find_upload(uuid: UUID, owner: User) -> Upload:
    """Return the upload of a drive, with the drive.

    One that is complete is found for another day, as the answer to its last chunk may be lost.

    Raises:
        Missing: the owner has no such drive.
        Refused: it is not being uploaded.
    """
    drive = Drive.objects.owned_by(owner).filter(pk=uuid).select_related("upload").first()
    if drive is None:
        raise Missing("There is no such drive.")
    upload: Upload | None = getattr(drive, "upload", None)
    if upload is None or not (is_uploading(drive) or upload.is_complete):
        raise Refused(f"The drive is {drive.status}; nothing more is uploaded to it.", "status")
    return upload


def is_uploading(drive: Drive) -> bool:
    return drive.status == Drive.Status.UPLOADING


def has_chunk(upload: Upload, span: Span) -> bool:
    """Tell whether a chunk is there; publish the image if it is whole and nobody did yet."""
    if upload.is_complete and is_uploading(upload.drive):
        finish_upload(upload)
    return is_received(span, upload.received)


def store_chunk(upload: Upload, span: Span, stream: BinaryIO) -> None:
    """Store a chunk that is not there yet, and publish the image if it was the last one.

    Raises:
        Invalid: the stream ended early.
        Refused: the drive is no longer being uploaded.
        BackendUnavailable: storage cannot take it.
    """
    if has_chunk(upload, span):
        skip(stream)
        return
    try:
        write_chunk(upload.drive, span, stream)
        drop_broken_connection()  # the bytes may have taken long
        note_chunk(upload, span)
    finally:
        finish_if_complete(upload.pk)


def skip(stream: BinaryIO) -> None:
    """Read a chunk that is there already: its sender goes on over the same connection."""
    while stream.read(BLOCK):
        pass


def write_chunk(drive: Drive, span: Span, stream: BinaryIO) -> None:
    """Write a chunk to the partial and wait until it is on the disk."""
    try:
        backend_of(drive).write_part(drive.pk, stream, span.begin, span.length)
    except UploadIncomplete as error:
        raise Invalid(str(error), "file") from error
    except ImageMissing as error:
        raise Refused("The drive is not being uploaded any more.", "status") from error
    except StorageError as error:
        raise BackendUnavailable(str(error)) from error


@transaction.atomic
def note_chunk(upload: Upload, span: Span) -> None:
    """Note that a chunk is durable; others may have been noted since the upload was read."""
    locked = Upload.objects.select_for_update(of=("self",), no_key=True).filter(pk=upload.pk)
    fresh = locked.filter(drive__status=Drive.Status.UPLOADING).first()
    if fresh is None:
        raise Refused("The drive is not being uploaded any more.", "status")
    fresh.received = with_span(fresh.received, span)
    fresh.bytes_done = bytes_in(fresh.received)
    fresh.changed_at = timezone.now()
    fresh.save(update_fields=["received", "bytes_done", "changed_at"])


def finish_if_complete(uuid: UUID) -> None:
    """Publish an image all of whose chunks are noted by now."""
    upload = Upload.objects.filter(pk=uuid).select_related("drive").first()
    if upload is not None and upload.is_complete and is_uploading(upload.drive):
        finish_upload(upload)


def finish_upload(upload: Upload) -> bool:
    """Publish the whole image; False if somebody still writes to it, who will do it then."""
    drive = upload.drive
    try:
        if not backend_of(drive).finish(drive.pk, upload.size):
            return False
    except StorageError as error:
        raise BackendUnavailable(str(error)) from error
    with transaction.atomic():
        Drive.objects.filter(pk=drive.pk).lock()
        uploading = Drive.objects.filter(pk=drive.pk, status=Drive.Status.UPLOADING)
        if uploading.settle(size=upload.size):
            announce(drive.owner_id, [(KIND, drive.pk)])
            logger.info("uploaded", extra={"drive": str(drive.pk), "bytes": upload.length})
    return True


def purge_uploads() -> None:
    """Publish what is whole, and give up what nobody has sent a chunk of for a day."""
    uploading = Upload.objects.filter(drive__status=Drive.Status.UPLOADING)
    for upload in uploading.select_related("drive"):
        try:
            if upload.is_complete:
                finish_upload(upload)
            else:
                give_up(upload.pk, time_limit())
        except PointedError:
            logger.warning("not purged", exc_info=True, extra={"drive": str(upload.pk)})
    over = Upload.objects.exclude(drive__status=Drive.Status.UPLOADING)
    over.filter(changed_at__lt=time_limit()).delete()


def time_limit() -> datetime:
    """Return the time before which the last chunk of an upload must have come."""
    return timezone.now() - timedelta(hours=settings.UPLOAD_KEPT_HOURS)


@transaction.atomic
def give_up(uuid: UUID, limit: datetime) -> None:
    """Delete a drive whose upload stopped; its bytes are freed by a job."""
    drives = Drive.objects.filter(pk=uuid, status=Drive.Status.UPLOADING).locked()
    for drive in drives.select_related("owner"):
        if drive.owner and Upload.objects.filter(pk=uuid, changed_at__lt=limit).exists():
            logger.info("upload given up", extra={"drive": str(uuid)})
            delete_locked(drive, drive.owner)
