"""The library: drives without an owner, that operators keep and everyone clones."""

from typing import Any, BinaryIO
from uuid import UUID

from django.db import transaction

from cloudjobs.announcing import announce
from cloudjobs.api.exceptions import Busy, Missing, Refused
from drives.actions import DriveSpec, insert_drive
from drives.models import Drive, LibraryEntry
from drives.querysets import KIND
from drives.uploads.whole import stored_image
from tags.actions import untag


def add_image(
    spec: DriveSpec, stream: BinaryIO, length: int, description: dict[str, Any]
) -> LibraryEntry:
    """Store `length` bytes of a stream as a drive of the library; all or nothing.

    `description` holds fields of its entry.

    Raises:
        Invalid: size or storage type cannot be, or the stream ended early.
        BackendUnavailable: the bytes do not fit.
    """
    status = Drive.Status.UNMOUNTED
    with stored_image(spec, stream, length, frozenset()) as stored, transaction.atomic():
        drive = insert_drive(stored.uuid, None, spec, stored.size, stored.host, status)
        return LibraryEntry.objects.create(drive=drive, **description)


@transaction.atomic
def move_to_library(uuid: UUID) -> LibraryEntry:
    """Take a drive from its owner and put it into the library.

    Raises:
        Missing: there is no such drive.
        Refused: it is there already, a server has it, it has snapshots, or its image is not whole.
        Busy: it is being cloned.
    """
    drive: Drive | None = Drive.objects.filter(pk=uuid).locked().first()
    if drive is None:
        raise Missing("There is no such drive.", "uuid")
    if drive.is_in_library:
        raise Refused("It is in the library already.", "owner")
    if drive.status == Drive.Status.CLONING_SRC:
        raise Busy("The drive is being cloned; try again when that is done.", "status")
    if drive.status != Drive.Status.UNMOUNTED:
        raise Refused(f"A drive that is {drive.status} stays with its owner.", "status")
    if drive.snapshots.exists():
        raise Refused("The drive has snapshots; delete them first.", "snapshots")
    untag(KIND, uuid)
    Drive.objects.filter(pk=uuid).update(owner=None)
    announce(drive.owner_id, [(KIND, uuid)])
    return LibraryEntry.objects.create(drive_id=uuid)
