"""Images that come in one request: stored as new drives, of users or of the library."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID, uuid4

from django.db import transaction

from accounts.models import User
from cloudjobs.announcing import announce
from cloudjobs.api.exceptions import BackendUnavailable, Invalid
from drives import placement
from drives.actions import DriveSpec, insert_drive
from drives.models import Drive
from drives.querysets import KIND
from drives.storage import StorageError, StorageHost, UploadIncomplete, storage_types
from jobs.asking import after_asking
from jobs.outages import drop_broken_connection


@dataclass(frozen=True)
class StoredDrive:
    """An image that has no row yet: under which uuid, how large, and on which storage host."""

    uuid: UUID
    size: int
    host: str


def upload_drive(
    owner: User, spec: DriveSpec, stream: BinaryIO, length: int, avoid: frozenset[UUID]
) -> Drive:
    """Store `length` bytes from a stream as a new drive; a broken upload leaves nothing.

    Raises:
        Invalid: size or storage type cannot be, or the stream ended early.
        BackendUnavailable: the bytes do not fit.
    """
    with stored_image(spec, stream, length, placement.hosts_to_avoid(owner, avoid)) as stored:
        status = Drive.Status.UNMOUNTED
        drive = insert_drive(stored.uuid, owner, spec, stored.size, stored.host, status)
        announce(owner.pk, [(KIND, drive.pk)])
        return drive


@contextmanager
def stored_image(
    spec: DriveSpec, stream: BinaryIO, length: int, avoid: frozenset[str]
) -> Iterator[StoredDrive]:
    """Store the stream as the image of a drive to be inserted; it goes again if that fails.

    Raises as `upload_drive`.
    """
    storage_type = spec.storage_type or storage_types()[0]
    size = placement.uploaded_size(storage_type, length)
    host = chosen_host(storage_type, size, length, avoid)
    uuid = uuid4()
    try:
        host.backend.write(uuid, stream, length, size)
    except UploadIncomplete as error:
        raise Invalid(str(error), "Content-Length") from error
    except StorageError as error:
        raise BackendUnavailable(str(error)) from error
    drop_broken_connection()  # the bytes may have taken hours
    try:
        yield StoredDrive(uuid, size, host.name)
    except BaseException:
        host.backend.delete(uuid)
        raise


@after_asking
@transaction.atomic
def chosen_host(storage_type: str, size: int, length: int, avoid: frozenset[str]) -> StorageHost:
    """Return the host with most room for an upload; raises as `choose_host`."""
    return placement.choose_host(storage_type, size, needed=length, avoid=avoid)
