"""How clones of drives and snapshots are made; part of what `drives.actions` is."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Profile, User
from accounts.naming import name_clone
from cloudjobs.api.exceptions import BackendUnavailable, Invalid, Refused
from cloudjobs.prepared import Hole, prepared_rows
from drives import operations, placement
from drives.actions import DriveSpec, insert_drive, lock_drive
from drives.models import Drive, Snapshot
from drives.querysets import KIND
from drives.storage import StorageError, get_host, round_up_size
from jobs.actions import JobSpec, Resource, submit
from jobs.asking import after_asking
from tags.actions import copy_tags, tag_object


@after_asking
@transaction.atomic
def clone_drive(
    source_uuid: UUID, owner: User, wishes: dict[str, Any], avoid: frozenset[UUID] = frozenset()
) -> Drive:
    """Make a new drive and submit the job that copies the source's image into it.

    The source is a drive of the owner or of the library. `wishes` may hold name, media, size
    (bytes), storage_type, affinities, meta and tags; the rest is as with the source; and `verify`,
    for a clone that is compared with it. The new drive is there at once, as `cloning_dst`.

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
    if source.status in Drive.SETTLED and not source.is_in_library:
        source.become(Drive.Status.CLONING_SRC, *Drive.SETTLED)
    return clone, clone_job(source, clone, weight, is_verified(clone, wishes))


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
    if not source.is_in_library and source.is_in_use:
        raise Refused("A drive cannot be cloned while its server runs.", "status")


def is_verified(clone: Drive, wishes: dict[str, Any]) -> bool:
    """Is a clone to be compared with its source, by its owner's wish or the operator's?"""
    return bool(wishes.get("verify")) or get_host(clone.storage_host).verify


def clone_job(source: Drive, clone: Drive, weight: int, verify: bool) -> JobSpec:
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
        lane=clone.storage_host,
        verify=verify,
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

    ((naming,),) = naming_of(Profile, owner=owner.pk)
    return name_clone(source.name, naming, timezone.now(), taken)


@prepared_rows
def naming_of(profiles: Any) -> QuerySet:
    return profiles.filter(user_id=Hole("owner")).values_list("clone_naming")


def allocated_bytes(source: Drive | Snapshot) -> int:
    """Return the bytes that a copy has to move."""
    try:
        return min(operations.backend_of(source).allocated(source.pk), source.size)
    except StorageError as error:
        raise BackendUnavailable(str(error)) from error
