"""What can be done with drives; API, admin and pages all call these.

Each action is one transaction that changes rows and submits the job that goes with it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from accounts.models import Profile, User
from accounts.naming import name_clone
from cloudjobs.api.exceptions import (
    BackendUnavailable,
    Busy,
    Invalid,
    Missing,
    PointedError,
    Refused,
)
from drives import operations, placement
from drives.models import Drive, Snapshot
from drives.querysets import KIND, SNAPSHOTS
from drives.storage import (
    NoSpace,
    StorageError,
    UploadIncomplete,
    get_host,
    round_up_size,
    storage_types,
)
from jobs.actions import JobSpec, Resource, submit
from jobs.models import Job
from tags.actions import copy_tags, tag_object

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


@dataclass(frozen=True)
class StoredDrive:
    """An image that has no row yet: under which uuid, how large, and on which storage host."""

    uuid: UUID
    size: int
    host: str


@transaction.atomic
def create_drives(owner: User, specs: list[DriveSpec], avoid: frozenset[UUID]) -> list[Drive]:
    """Make empty drives, all or none.

    Raises:
        Invalid: storage type or size of one cannot be; the point says which one, if several.
    """
    hosts = placement.hosts_to_avoid(owner, avoid)
    return make_each(specs, lambda spec: create_drive(owner, spec, hosts))


def make_each(specs: list[Any], make: Callable[[Any], Any]) -> list[Any]:
    """Return what is made of each; an error points at the one of several that it is about."""
    made = []
    for index, spec in enumerate(specs):
        try:
            made.append(make(spec))
        except PointedError as error:
            if len(specs) > 1:
                error.within(f"objects.{index}")
            raise
    return made


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
    """Insert the row of a drive; one without an owner is in the library."""
    drive: Drive = Drive.objects.create(
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
    return drive


def submit_internal(
    operation: str, drive: Drive, by: User, *others: Resource, **params: Any
) -> None:
    """Submit a job on one drive, and what goes with it, that nobody sees."""
    params = {"drive": str(drive.pk), **params}
    resources = (Resource(KIND, drive.pk, drive.name), *others)
    submit(JobSpec(operation, params, resources=resources), by)


@transaction.atomic
def clone_drive(
    source_uuid: UUID, owner: User, wishes: dict[str, Any], avoid: frozenset[UUID] = frozenset()
) -> Drive:
    """Make a new drive and submit the job that copies the source's image into it.

    The source is a drive of the owner or of the library. `wishes` may hold name, media, size
    (bytes), storage_type, affinities, meta and tags; the rest is as with the source. The new drive
    is there at once, as `cloning_dst`.

    Raises:
        Missing: the owner has no such drive, nor has the library.
        Refused: the source's image is not whole, or may be changed by a server.
        Invalid: size or storage type cannot be, or there is no such tag.
        BackendUnavailable: the data of the source does not fit anywhere.
    """
    source = lock_drive(source_uuid, owner)
    clone, job = plan_clone(source, owner, wishes, placement.hosts_to_avoid(owner, avoid))
    submit(job, owner)
    return clone


def plan_clone(
    source: Drive,
    owner: User,
    wishes: dict[str, Any],
    avoid: frozenset[str],
    planned: Mapping[str, int] = placement.NOTHING,
) -> tuple[Drive, JobSpec]:
    """Insert the owner's clone of a drive whose row is locked; return it and the job that has to
    be submitted in the same transaction.

    `planned` is the bytes, by host, of other clones that the transaction submits.
    """
    require_clonable(source)
    weight = allocated_bytes(source)
    clone = insert_clone(source, source, owner, wishes, weight, avoid, planned)
    if not source.is_in_library:
        source.become(Drive.Status.CLONING_SRC, *Drive.SETTLED)
    return clone, clone_job(source, clone, weight)


def insert_clone(
    source: Drive | Snapshot,
    like: Drive,
    owner: User,
    wishes: dict[str, Any],
    weight: int,
    avoid: frozenset[str],
    planned: Mapping[str, int] = placement.NOTHING,
) -> Drive:
    """Insert the owner's drive for a copy of the source of `weight` bytes.

    In all else it is as wished, or like the other drive.
    """
    size = clone_size(source, wishes.get("size"))
    storage_type = wishes.get("storage_type") or like.storage_type
    host = placement.choose_host(storage_type, size, weight, avoid, planned)
    spec = DriveSpec(
        name=wishes.get("name") or clone_name(source, owner),
        size=size,
        media=wishes.get("media", like.media),
        meta=wishes.get("meta", source.meta),
        affinities=wishes.get("affinities", like.affinities),
        allow_multimount=like.allow_multimount,
    )
    clone = insert_drive(uuid4(), owner, spec, size, host.name, Drive.Status.CLONING_DST)
    tag_clone(like, clone, owner, wishes.get("tags"))
    return clone


def tag_clone(source: Drive, clone: Drive, owner: User, tags: list[UUID] | None) -> None:
    """Give a clone the tags that are wished, else those of its source."""
    if tags is None:
        copy_tags(KIND, source.pk, clone.pk, owner)
    else:
        tag_object(KIND, clone.pk, owner, tags)


def require_clonable(source: Drive) -> None:
    """Refuse to clone a drive whose image is not whole or may change; the library's never do."""
    if not source.is_readable:
        raise Refused(f"A drive that is {source.status} cannot be cloned.", "status")
    if source.is_in_use and not source.is_in_library:
        raise Refused("A drive cannot be cloned while its server runs.", "status")


def clone_job(source: Drive, clone: Drive, weight: int) -> JobSpec:
    """Return the job that copies one drive's image into another's."""
    return JobSpec(
        operations.CloneDrive.name,
        params={
            "source": str(source.pk),
            "drive": str(clone.pk),
            "storage_host": clone.storage_host,
            "source_host": source.storage_host,
            "size": clone.size,
        },
        weight=weight,
        resources=(
            Resource(KIND, source.pk, source.name),
            Resource(KIND, clone.pk, clone.name),
        ),
    )


def clone_size(source: Drive | Snapshot, wanted: int | None) -> int:
    """Return the size of a clone in bytes: as wanted, rounded up, but never below the source's."""
    if wanted is None:
        return source.size
    if round_up_size(wanted) < source.size:
        raise Invalid(f"A clone is not smaller than its source, {source.size} bytes.", "size")
    return round_up_size(wanted)


def clone_name(source: Drive | Snapshot, owner: User) -> str:
    """Return the name that the owner's profile gives to a clone."""

    def taken(beginning: str) -> set[str]:
        mine = Drive.objects.owned_by(owner).filter(name__startswith=beginning)
        return set(mine.values_list("name", flat=True))

    naming = Profile.objects.values_list("clone_naming", flat=True).get(user=owner)
    return name_clone(source.name, naming, timezone.now(), taken)


def allocated_bytes(source: Drive | Snapshot) -> int:
    """Return the bytes that a copy has to move."""
    try:
        return min(operations.backend_of(source).allocated(source.pk), source.size)
    except StorageError as error:
        raise BackendUnavailable(str(error)) from error


@transaction.atomic
def update_drive(uuid: UUID, owner: User, changes: dict[str, Any]) -> Drive:
    """Change a drive; a larger `size` starts a resize, and shows when that is done.

    On a server that runs only name, meta, tags and allow_multimount change; the rest is ignored.

    Raises:
        Missing: the owner has no such drive.
        Invalid: it would shrink or change its storage type, or there is no such tag.
        Busy: it is being copied and cannot be resized now.
        Refused: it is being made, resized or deleted, or is unavailable; or it is in the library.
    """
    drive = lock_to_change(uuid, owner)
    if not drive.is_readable:
        raise Refused(f"A drive that is {drive.status} cannot be changed.", "status")
    tag_drive(drive, owner, changes.get("tags"))
    if drive.is_in_use:
        return save_changes(drive, changes, EDITABLE_IN_USE)
    return change_and_resize(drive, owner, changes)


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
    shareable = drive.allow_multimount or drive.media == Drive.Media.CDROM
    if not shareable and drive.mounts.count() > 1:
        raise Refused(
            "The drive is on several servers; only a CD or a shared drive may be.", "media"
        )


def resize_locked(drive: Drive, by: User, size: int) -> None:
    """Submit the resize of a drive whose row is locked, if its size changes at all."""
    if size < drive.size:
        raise Invalid(f"A drive cannot shrink below its {drive.size} bytes.", "size")
    if size == drive.size:
        return
    host = get_host(drive.storage_host)
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
    keys = [drive.pk for drive in drives]
    Drive.objects.filter(pk__in=keys, status__in=Drive.SETTLED).settle()


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
    drive: Drive | None = Drive.objects.reachable_by(user).filter(pk=uuid).locked().first()
    if drive is None:
        raise Missing("There is no such drive.")
    return drive
