"""What can be done with snapshots; API and admin call these.

Each action is one transaction that changes rows and submits the job that goes with it. While a
snapshot is taken its drive is `cloning_src`, so whatever would change the image has to wait.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.models import User
from cloudjobs.api.bodies import make_each
from cloudjobs.api.exceptions import Busy, Invalid, Missing, Refused
from drives import placement
from drives.cloning import allocated_bytes, insert_clone, is_verified
from drives.models import Drive, Snapshot
from drives.operations import backend_of
from drives.querysets import KIND, SNAPSHOTS
from drives.snapshots.operations import CloneSnapshot, CreateSnapshot, DeleteSnapshot
from jobs.actions import JobSpec, Resource, submit
from jobs.asking import after_asking
from jobs.models import Job, JobLink
from tags.actions import tag_object

DELETABLE = (Snapshot.Status.AVAILABLE, Snapshot.Status.UNAVAILABLE)


@dataclass(frozen=True)
class SnapshotSpec:
    """A snapshot to be taken; without a name it is called by drive and time."""

    drive: UUID
    name: str = ""
    meta: dict[str, str] = field(default_factory=dict)
    tags: list[UUID] | None = None


@after_asking
@transaction.atomic
def create_snapshots(owner: User, specs: list[SnapshotSpec]) -> list[Snapshot]:
    """Take snapshots of drives, all or none; each is there at once, as `creating`.

    Raises:
        Invalid: there is no such drive, or no such tag.
        Refused: the drive's image is not whole, a server that runs may change it, or it is in the
            library.
        BackendUnavailable: a copy of it does not fit on its host.
    """
    wanted = Drive.objects.reachable_by(owner).filter(pk__in=[spec.drive for spec in specs])
    drives = {drive.pk: drive for drive in wanted.locked()}
    return make_each(specs, lambda spec: create_snapshot(drives.get(spec.drive), owner, spec))


def create_snapshot(drive: Drive | None, owner: User, spec: SnapshotSpec) -> Snapshot:
    """Insert the snapshot of a drive whose row is locked and submit the job that copies it."""
    if drive is None:
        raise Invalid("There is no such drive.", "drive")
    require_still(drive)
    weight = allocated_bytes(drive)
    placement.require_room(drive.storage_host, weight)
    drive.become(Drive.Status.CLONING_SRC, *Drive.SETTLED)
    snapshot: Snapshot = Snapshot.objects.create(
        pk=uuid4(),
        owner=owner,
        drive=drive,
        name=spec.name or default_name(drive, timezone.now()),
        meta=spec.meta,
        size=drive.size,
        status=Snapshot.Status.CREATING,
        storage_host=drive.storage_host,
    )
    tag_object(SNAPSHOTS, snapshot.pk, owner, spec.tags)
    params = {"source": str(drive.pk), "storage_host": drive.storage_host}
    drive_resource = Resource(KIND, drive.pk, drive.name)
    submit_for(
        snapshot,
        CreateSnapshot.name,
        drive_resource,
        params=params,
        weight=weight,
        lane=drive.storage_host,
    )
    return snapshot


def require_still(drive: Drive) -> None:
    """Refuse to copy what is not the user's, not whole, or may change meanwhile."""
    if drive.is_in_library:
        message = "No snapshot is taken of what is in the library; clone it instead."
        raise Refused(message, "drive")
    if not drive.is_readable:
        raise Refused(f"A drive that is {drive.status} has no snapshots taken.", "drive")
    if drive.is_in_use:
        raise Refused("No snapshot is taken of a drive while its server runs.", "drive")


def default_name(drive: Drive, moment: datetime) -> str:
    """Return `{drive's uuid}__2014-06-05__09_53_28`."""
    return f"{drive.pk}__{moment:%Y-%m-%d__%H_%M_%S}"


def submit_for(
    snapshot: Snapshot,
    operation: str,
    *before: Resource,
    params: dict[str, Any] | None = None,
    weight: int = 0,
    after: tuple[Resource, ...] = (),
    lane: str = "",
    verify: bool = False,
) -> None:
    """Submit a job on a snapshot; other resources come before or after it."""
    resource = Resource(SNAPSHOTS, snapshot.pk, snapshot.name)
    params = {"snapshot": str(snapshot.pk), **(params or {})}
    spec = JobSpec(
        operation,
        params,
        weight,
        resources=(*before, resource, *after),
        lane=lane,
        verify=verify,
    )
    submit(spec, snapshot.owner)


@after_asking
@transaction.atomic
def clone_snapshot(
    uuid: UUID, owner: User, wishes: dict[str, Any], avoid: frozenset[UUID] = frozenset()
) -> Drive:
    """Make a new drive and submit the job that copies the snapshot's image into it.

    `wishes` are those of a drive's clone; the rest is as with the snapshot, or with its drive.

    Raises:
        Missing: the owner has no such snapshot.
        Refused: it is not there yet, or not any more.
        Invalid: size or storage type cannot be.
        BackendUnavailable: the data do not fit anywhere.
    """
    snapshot = lock_snapshot(uuid, owner)
    if snapshot.status != Snapshot.Status.AVAILABLE:
        raise Refused(f"A snapshot that is {snapshot.status} cannot be cloned.", "status")
    weight = allocated_bytes(snapshot)
    hosts = placement.hosts_to_avoid(owner, avoid)
    clone = insert_clone(snapshot, snapshot.drive, owner, wishes, weight, hosts)
    submit_for(
        snapshot,
        CloneSnapshot.name,
        params={
            "source": str(snapshot.pk),
            "drive": str(clone.pk),
            "storage_host": clone.storage_host,
            "source_host": snapshot.storage_host,
            "size": clone.size,
        },
        weight=weight,
        after=(Resource(KIND, clone.pk, clone.name),),
        lane=clone.storage_host,
        verify=is_verified(clone, wishes),
    )
    return clone


@transaction.atomic
def update_snapshot(uuid: UUID, owner: User, changes: dict[str, Any]) -> Snapshot:
    """Change a snapshot's name, meta and tags.

    Raises:
        Missing: the owner has no such snapshot.
        Invalid: another drive is named than the one that it was taken of, or no tag of the owner.
        Refused: it is being deleted.
    """
    snapshot = lock_snapshot(uuid, owner)
    if changes.get("drive", snapshot.drive_id) != snapshot.drive_id:
        raise Invalid("A snapshot stays with its drive.", "drive")
    if snapshot.status == Snapshot.Status.DELETING:
        raise Refused("A snapshot that is deleting cannot be changed.", "status")
    snapshot.name = changes.get("name") or snapshot.name
    snapshot.meta = changes.get("meta", snapshot.meta)
    snapshot.save(update_fields=["name", "meta"])
    tag_object(SNAPSHOTS, snapshot.pk, owner, changes.get("tags"))
    return snapshot


@transaction.atomic
def delete_snapshots(uuids: list[UUID], owner: User) -> None:
    """Submit the deletion of snapshots, all or none.

    Raises:
        Missing: the owner has no snapshot of one of these uuids.
        Busy: one is being taken or cloned.
    """
    found = Snapshot.objects.owned_by(owner).filter(pk__in=uuids)
    snapshots = list(found.locked().select_related("owner"))
    missing = set(uuids) - {snapshot.pk for snapshot in snapshots}
    if missing:
        raise Missing(f"There is no snapshot {min(missing)}.", "uuid")
    for snapshot in snapshots:
        delete_locked(snapshot)


def delete_locked(snapshot: Snapshot) -> None:
    """Submit the deletion of a snapshot whose row is locked."""
    if snapshot.status == Snapshot.Status.DELETING:
        return
    if Job.objects.unfinished().linked_to(SNAPSHOTS, [snapshot.pk]).exists():
        raise Busy(f"The snapshot {snapshot.pk} is being taken or cloned.", "status")
    snapshot.become(Snapshot.Status.DELETING, *DELETABLE)
    submit_for(snapshot, DeleteSnapshot.name, params={"storage_host": snapshot.storage_host})


def lock_snapshot(uuid: UUID, owner: User) -> Snapshot:
    """Return a snapshot of the owner, its row locked until the transaction ends.

    Raises:
        Missing: the owner has no such snapshot.
    """
    mine = Snapshot.objects.owned_by(owner).filter(pk=uuid).locked()
    snapshot: Snapshot | None = mine.select_related("drive", "owner").first()
    if snapshot is None:
        raise Missing("There is no such snapshot.")
    return snapshot


# --- reconciliation -------------------------------------------------------------------------


def stuck(snapshots: QuerySet[Snapshot]) -> QuerySet[Snapshot]:
    """Return those whose status passes although nothing will make it pass."""
    links = JobLink.objects.filter(kind=SNAPSHOTS, object_uuid=OuterRef("pk"))
    passing = snapshots.filter(status__in=(Snapshot.Status.CREATING, Snapshot.Status.DELETING))
    return passing.filter(~Exists(links.filter(job__state=Job.State.STARTED)))


@transaction.atomic
def settle_stuck(uuid: UUID) -> bool:
    """Settle a snapshot that still has no job: by whether its whole image is there."""
    locked = Snapshot.objects.filter(pk=uuid).locked().select_related("owner")
    snapshot = stuck(locked).first()
    if snapshot is None:
        return False
    if snapshot.status == Snapshot.Status.DELETING:
        submit_for(snapshot, DeleteSnapshot.name, params={"storage_host": snapshot.storage_host})
        return True
    is_there = backend_of(snapshot).exists(snapshot.pk)
    status = Snapshot.Status.AVAILABLE if is_there else Snapshot.Status.UNAVAILABLE
    return snapshot.become(status, Snapshot.Status.CREATING)
