"""What can be done with drives; API, admin and pages all call these.

Each action is one transaction that changes rows and submits the job that goes with it. Clones are
in `drives.cloning`, images that come whole in `drives.uploads.whole`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from cloudjobs.announcing import announce
from cloudjobs.api.bodies import make_each
from cloudjobs.api.exceptions import BackendUnavailable, Busy, Invalid, Missing, Refused
from cloudjobs.prepared import Hole, insert_rows, prepared_get
from drives import operations, placement
from drives.models import Drive, Snapshot
from drives.querysets import KIND, SERVERS, SNAPSHOTS
from drives.storage import StorageError, get_host, round_up_size, storage_types
from jobs.actions import JobSpec, Resource, submit
from jobs.asking import after_asking
from jobs.models import Job
from tags.actions import tag_object

EDITABLE = ("name", "media", "meta", "allow_multimount", "affinities")
EDITABLE_IN_USE = ("name", "meta", "allow_multimount")  # the rest is ignored then
DELETABLE = (*Drive.SETTLED, Drive.Status.UNAVAILABLE, Drive.Status.UPLOADING)


@dataclass(frozen=True)
class DriveSpec:
    """A drive to be made; `size` is in bytes and is rounded up to what storage keeps."""

    name: str
    size: int
    media: str = Drive.Media.DISK
    storage_type: str = ""
    meta: dict[str, str] = field(default_factory=dict)
    affinities: list[str] = field(default_factory=list)
    allow_multimount: bool = False
    tags: list[UUID] | None = None


@after_asking
@transaction.atomic
def create_drives(owner: User, specs: list[DriveSpec], avoid: frozenset[UUID]) -> list[Drive]:
    """Make empty drives, all or none.

    Raises:
        Invalid: storage type or size of one cannot be; the point says which one, if several.
    """
    hosts = placement.hosts_to_avoid(owner, avoid)
    return make_each(specs, lambda spec: create_drive(owner, spec, hosts))


def create_drive(owner: User, spec: DriveSpec, avoid: frozenset[str]) -> Drive:
    """Make one empty drive and submit the job that makes its image."""
    size = round_up_size(spec.size)
    host = placement.choose_host(spec.storage_type or storage_types()[0], size, avoid=avoid)
    drive = insert_drive(uuid4(), owner, spec, size, host.name, Drive.Status.CREATING)
    tag_object(KIND, drive.pk, owner, spec.tags)
    submit_internal(operations.CreateDrive.name, drive, owner)
    return drive


def insert_drive(
    uuid: UUID, owner: User | None, spec: DriveSpec, size: int, host: str, status: Drive.Status
) -> Drive:
    """Insert the row of a drive; one without an owner is in the library.

    It is announced with the job that is submitted for it; whoever submits none announces it.
    """
    drive = Drive(
        uuid=uuid,
        owner=owner,
        name=spec.name,
        media=spec.media,
        size=size,
        status=status,
        storage_host=host,
        storage_type=get_host(host).storage_type,
        meta=spec.meta,
        affinities=spec.affinities,
        allow_multimount=spec.allow_multimount,
    )
    insert_rows([drive])
    return drive


def submit_internal(
    operation: str, drive: Drive, by: User, *others: Resource, **params: Any
) -> None:
    """Submit a job on one drive, and what goes with it, that nobody sees."""
    params = {"drive": str(drive.pk), **params}
    resources = (Resource(KIND, drive.pk, drive.name), *others)
    submit(JobSpec(operation, params, resources=resources), by)


@after_asking
@transaction.atomic
def update_drive(uuid: UUID, owner: User, changes: dict[str, Any]) -> Drive:
    """Change a drive; a larger `size` starts a resize, and shows when that is done.

    On a server that runs only name, meta, tags and allow_multimount change; the rest is ignored.

    Raises:
        Missing: the owner has no such drive.
        Invalid: it would shrink or change its storage type, or there is no such tag.
        Busy: it is being copied and cannot be resized now.
        Refused: it is being made, resized or deleted, or is unavailable; or it is in the library.
        BackendUnavailable: it is to be resized, and the settings have its storage host no more.
    """
    drive = lock_to_change(uuid, owner)
    if not drive.is_readable:
        raise Refused(f"A drive that is {drive.status} cannot be changed.", "status")
    tag_drive(drive, owner, changes.get("tags"))
    if drive.is_in_use:
        return save_changes(drive, changes, EDITABLE_IN_USE)
    return change_and_resize(drive, owner, changes)


@after_asking
@transaction.atomic
def resize_drive(uuid: UUID, owner: User, changes: dict[str, Any]) -> Drive:
    """Do the same as `update_drive`, but refuse what cannot be applied in full.

    Raises:
        Refused: as with `update_drive`, or a server runs that has the drive.
    """
    drive = lock_to_change(uuid, owner)
    if drive.is_in_use:
        raise Refused("A drive cannot be resized while its server runs.", "status")
    return update_drive(uuid, owner, changes)


def tag_drive(drive: Drive, owner: User, tags: list[UUID] | None) -> None:
    """Replace the tags of a drive whose row is locked; None leaves them."""
    if drive.is_in_library and tags:
        raise Invalid("What is in the library has no tags.", "tags")
    tag_object(KIND, drive.pk, owner, tags)


def change_and_resize(drive: Drive, by: User, changes: dict[str, Any]) -> Drive:
    """Apply all changes to a drive whose row is locked."""
    if changes.get("storage_type", drive.storage_type) != drive.storage_type:
        raise Invalid(
            "The storage type of a drive cannot change; clone it instead.", "storage_type"
        )
    save_changes(drive, changes, EDITABLE)
    if "size" in changes:
        resize_locked(drive, by, round_up_size(changes["size"]))
    return drive


def save_changes(drive: Drive, changes: dict[str, Any], names: tuple[str, ...]) -> Drive:
    for name in names:
        setattr(drive, name, changes.get(name, getattr(drive, name)))
    require_shareable(drive)
    drive.save(update_fields=names)
    return drive


def require_shareable(drive: Drive) -> None:
    """Refuse that a disk, which only one server may write to, is on several."""
    if not drive.is_shareable and drive.mounts.count() > 1:
        raise Refused(
            "The drive is on several servers; only a CD or a shared drive may be.", "media"
        )


def resize_locked(drive: Drive, by: User, size: int) -> None:
    """Submit the resize of a drive whose row is locked, if its size changes at all."""
    if size < drive.size:
        raise Invalid(f"A drive cannot shrink below its {drive.size} bytes.", "size")
    if size == drive.size:
        return
    try:
        host = get_host(drive.storage_host)
        host.backend.ask()  # or its largest size is not known
    except StorageError as error:
        raise BackendUnavailable(str(error)) from error
    if size > host.max_size:
        raise Invalid(f"Drives on this storage have at most {host.max_size} bytes.", "size")
    require_no_clones(drive)
    if not drive.become(Drive.Status.RESIZING, *Drive.SETTLED):
        raise Busy("The drive is being cloned; resize it when that is done.", "status")
    submit_internal(operations.ResizeDrive.name, drive, by, size=size)


@transaction.atomic
def delete_drives(uuids: list[UUID], owner: User) -> None:
    """Submit the deletion of drives, all or none.

    Raises:
        Missing: the owner has no drive of one of these uuids.
        Refused: a server that runs has one, or it is in the library.
        Busy: one is being made, copied or resized.
    """
    drives = list(Drive.objects.reachable_by(owner).filter(pk__in=uuids).locked())
    missing = set(uuids) - {drive.pk for drive in drives}
    if missing:
        raise Missing(f"There is no drive {min(missing)}.", "uuid")
    for drive in drives:
        require_right(drive, owner)
        delete_locked(drive, owner)


def delete_locked(drive: Drive, by: User) -> None:
    """Take a drive whose row is locked from its servers and submit the deletion of its bytes."""
    if drive.status == Drive.Status.DELETING:
        return
    if drive.is_in_use:
        server = "a server" if drive.is_in_library else "a server that runs"
        raise Refused(f"The drive {drive.pk} is mounted on {server}.", "status")
    require_no_clones(drive)
    if not drive.become(Drive.Status.DELETING, *DELETABLE):
        raise Busy(
            f"The drive {drive.pk} is {drive.status}; delete it when that is done.", "status"
        )
    announce(drive.owner_id, [(SERVERS, mount.server_id) for mount in drive.mounts.all()])
    drive.mounts.all().delete()
    submit_internal(operations.DeleteDrive.name, drive, by, *give_up_snapshots(drive))


def give_up_snapshots(drive: Drive) -> list[Resource]:
    """Let the snapshots of a drive be deleted with it; return them as resources of its job."""
    snapshots = list(drive.snapshots.locked())
    keys = [snapshot.pk for snapshot in snapshots]
    if Job.objects.visible().unfinished().linked_to(SNAPSHOTS, keys).exists():
        raise Busy("A snapshot of the drive is being cloned; delete the drive then.", "snapshots")
    drive.snapshots.update(status=Snapshot.Status.DELETING)
    return [Resource(SNAPSHOTS, snapshot.pk, snapshot.name) for snapshot in snapshots]


def require_no_clones(drive: Drive) -> None:
    """Leave alone what is being cloned from the library: its status does not tell."""
    if drive.is_in_library and operations.unfinished_copies(drive.pk).exists():
        message = f"The drive {drive.pk} is being cloned; try again when that is done."
        raise Busy(message, "status")


def settle_mounts(drives: Iterable[Drive]) -> None:
    """Let settled drives, whose rows are locked, show whether a server has them."""
    keys = {drive.pk: drive.owner_id for drive in drives}
    Drive.objects.filter(pk__in=keys, status__in=Drive.SETTLED).settle()
    for drive, owner in keys.items():
        announce(owner, [(KIND, drive)])


def lock_to_change(uuid: UUID, by: User) -> Drive:
    """Return a drive that the user may change, its row locked until the transaction ends.

    Raises:
        Missing: there is none that the user knows of.
        Refused: it is in the library, and the user is no operator.
    """
    drive = lock_drive(uuid, by)
    require_right(drive, by)
    return drive


def require_right(drive: Drive, by: User) -> None:
    """Let operators change what is in the library, and nobody else."""
    if drive.is_in_library and not (by.is_staff and by.has_perm("drives.change_drive")):
        raise Refused("Only operators change what is in the library; clone it instead.", "owner")


def lock_drive(uuid: UUID, user: User) -> Drive:
    """Return a drive of the user or the library, its row locked until the transaction ends.

    Raises:
        Missing: there is none that the user knows of.
    """
    drive: Drive | None = reachable_and_locked(Drive, user=user.pk, pk=uuid)
    if drive is None:
        raise Missing("There is no such drive.")
    return drive


@prepared_get
def reachable_and_locked(drives: Any) -> QuerySet[Drive]:
    return drives.reachable_by(Hole("user")).filter(pk=Hole("pk")).locked()
