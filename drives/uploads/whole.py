"""Images that come in one request: stored as new drives, of users or of the library."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID, uuid4

from django.db import transaction

from accounts.models import User
from cloudjobs.api.exceptions import BackendUnavailable, Invalid
from drives import placement
from drives.actions import DriveSpec, insert_drive
from drives.models import Drive
from drives.storage import NoSpace, StorageError, UploadIncomplete, storage_types


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
        return insert_drive(stored.uuid, owner, spec, stored.size, stored.host, status)


@contextmanager
def stored_image(
    spec: DriveSpec, stream: BinaryIO, length: int, avoid: frozenset[str]
) -> Iterator[StoredDrive]:
    """Store the stream as the image of a drive to be inserted; it goes again if that fails.

    Raises as `upload_drive`.
    """
    storage_type = spec.storage_type or storage_types()[0]
    size = placement.uploaded_size(storage_type, length)
    with transaction.atomic():
        host = placement.choose_host(storage_type, size, needed=length, avoid=avoid)
    uuid = uuid4()
    try:
        host.backend.write(uuid, stream, length, size)
    except UploadIncomplete as error:
        raise Invalid(str(error), "Content-Length") from error
    except (NoSpace, StorageError) as error:
        raise BackendUnavailable(str(error)) from error
    try:
        yield StoredDrive(uuid, size, host.name)
    except BaseException:
        host.backend.delete(uuid)
        raise
