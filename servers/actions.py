"""What can be done with servers; API, admin and pages all call these.

Each action is one transaction. Rows are locked in one order, servers before jobs before drives.
"""

import secrets
import string
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.naming import name_clone
from cloudjobs.api.bodies import make_each
from cloudjobs.api.exceptions import Invalid, Missing, Refused
from drives import actions as drive_actions
from drives import placement
from drives.cloning import plan_clone
from drives.models import Drive
from jobs.actions import JobSpec, Resource, mark_gone, submit
from jobs.asking import after_asking
from keypairs.models import KeyPair
from servers import limits, operations
from servers.models import Mount, Nic, Server
from servers.mounting import MountSpec, NicSpec, replace_keys, replace_mounts, replace_nics
from servers.querysets import KIND
from tags.actions import copy_tags, tag_object, untag

MACHINE = ("cpu", "smp", "mem")
PLAIN = (
    "context",
    "cpu_model",
    "cpu_type",
    "cpus_instead_of_cores",
    "enable_numa",
    "hv_relaxed",
    "hv_tsc",
    "hypervisor",
    "requirements",
    "vnc_password",
)
WHILE_RUNNING = ("name", "meta")  # beside its tags, all that changes of a running server
PASSWORD_LENGTH = 8
PASSWORD_LETTERS = string.ascii_letters + string.digits
RECURSE = {
    "all_drives": tuple(Drive.Media.values),
    "disks": (Drive.Media.DISK,),
    "cdroms": (Drive.Media.CDROM,),
}


@dataclass(frozen=True)
class ServerSpec:
    """What a server shall be: `fields` of the model, and its parts if they are given."""

    fields: dict[str, Any]
    mounts: list[MountSpec] | None = None
    nics: list[NicSpec] | None = None
    tags: list[UUID] | None = None
    pubkeys: list[UUID] | None = None


@dataclass(frozen=True)
class CloneWishes:
    """What may differ in a clone of a server."""

    name: str = ""
    random_vnc_password: bool = False
    verify: bool = False
    avoid: frozenset[UUID] = field(default_factory=frozenset)  # servers and drives


@transaction.atomic
def create_servers(owner: User, specs: list[ServerSpec]) -> list[Server]:
    """Make stopped servers, all or none.

    Raises:
        Invalid, Missing, Refused: the point says which field of which server.
    """
    return make_each(specs, lambda spec: create_server(owner, spec))


def create_server(owner: User, spec: ServerSpec) -> Server:
    server = Server(owner=owner)
    set_fields(server, spec.fields)
    server.save(force_insert=True)
    replace_parts(server, spec)
    tag_object(KIND, server.pk, owner, spec.tags)
    return server


def set_fields(server: Server, fields: dict[str, Any]) -> None:
    """Set what is given and check the machine that results."""
    for name in (*WHILE_RUNNING, *MACHINE, *PLAIN):
        if name in fields:
            setattr(server, name, fields[name])
    if "smp" not in fields and server._state.adding:
        server.smp = limits.fewest_cores(server.cpu)
    limits.check_machine(server.cpu, server.smp, server.mem)


def replace_parts(server: Server, spec: ServerSpec) -> None:
    """Give the server the drives, cards and keys that are listed; what is not given stays."""
    if spec.mounts is not None:
        replace_mounts(server, spec.mounts)
    if spec.nics is not None:
        replace_nics(server, spec.nics)
    if spec.pubkeys is not None:
        replace_keys(server, spec.pubkeys)


@transaction.atomic
def update_server(uuid: UUID, owner: User, spec: ServerSpec) -> Server:
    """Change a server; while it runs only name, meta and tags change; the rest is ignored.

    Raises:
        Missing: the owner has no such server.
        Invalid, Refused: the point says which field.
    """
    server = lock_server(uuid, owner)
    if server.is_at_rest:
        set_fields(server, spec.fields)
        server.save()
        replace_parts(server, spec)
    else:
        for name in WHILE_RUNNING:
            setattr(server, name, spec.fields.get(name, getattr(server, name)))
        server.save(update_fields=WHILE_RUNNING)
    tag_object(KIND, server.pk, owner, spec.tags)
    return server


@transaction.atomic
def delete_servers(uuids: list[UUID], owner: User, recurse: str = "") -> None:
    """Delete servers, all or none; `recurse` names the kind of their drives that go with them.

    A drive that another server has too stays, and so does one of the library.

    Raises:
        Missing: the owner has no server of one of these uuids.
        Refused: one of them runs.
        Invalid: there is no such value of `recurse`.
        Busy: a drive that shall go is being made, copied or resized.
    """
    if recurse and recurse not in RECURSE:
        raise Invalid(f"recurse is one of: {', '.join(RECURSE)}.", "recurse")
    servers = list(Server.objects.owned_by(owner).filter(pk__in=uuids).locked())
    missing = set(uuids) - {server.pk for server in servers}
    if missing:
        raise Missing(f"There is no server {min(missing)}.", "uuid")
    for server in servers:
        delete_locked(server, RECURSE.get(recurse, ()))


def delete_locked(server: Server, media: tuple[str, ...]) -> None:
    """Delete a server whose row is locked, and its drives of these media."""
    if not server.is_at_rest:
        raise Refused(f"The server {server.pk} is {server.status}; stop it first.", "status")
    mark_gone(KIND, server.pk)  # locks jobs, so it comes before the drives as in a job's end
    drives = list(Drive.objects.filter(mounts__server=server).locked())
    untag(KIND, server.pk)
    server.delete()
    drive_actions.settle_mounts(drives)
    for drive in drives:
        if drive.media in media and not drive.is_in_library and not drive.mounts.exists():
            drive_actions.delete_locked(drive, server.owner)


@after_asking
@transaction.atomic
def clone_server(uuid: UUID, owner: User, wishes: CloneWishes) -> Server:
    """Make a stopped server like this one, and submit the jobs that clone its disks.

    The new server has each disk's clone on the same channel, the same CDs, and as many network
    cards, with new addresses and DHCP.

    Raises:
        Missing: the owner has no such server.
        Refused: it runs, or one of its disks cannot be cloned now.
        BackendUnavailable: the data of its disks does not fit anywhere.
    """
    source = lock_server(uuid, owner)
    if not source.is_at_rest:
        raise Refused(
            f"A server that is {source.status} cannot be cloned; stop it first.", "status"
        )
    clone = copy_server(source, wishes)
    copy_nics(source, clone)
    copy_keys(source, clone)
    copy_tags(KIND, source.pk, clone.pk, owner)
    disks = clone_mounts(source, clone, wishes)
    submit(clone_job(source, clone, disks), owner)
    return clone


def copy_server(source: Server, wishes: CloneWishes) -> Server:
    clone = Server(owner=source.owner, name=wishes.name or clone_name(source), meta=source.meta)
    for name in (*MACHINE, *PLAIN):
        setattr(clone, name, getattr(source, name))
    if wishes.random_vnc_password:
        letters = (secrets.choice(PASSWORD_LETTERS) for _ in range(PASSWORD_LENGTH))
        clone.vnc_password = "".join(letters)
    clone.save(force_insert=True)
    return clone


def clone_name(source: Server) -> str:
    """Return the name that the owner's profile gives to a clone."""

    def taken(beginning: str) -> set[str]:
        mine = Server.objects.owned_by(source.owner).filter(name__startswith=beginning)
        return set(mine.values_list("name", flat=True))

    return name_clone(source.name, source.owner.profile.clone_naming, timezone.now(), taken)


def copy_nics(source: Server, clone: Server) -> None:
    """Give the clone as many cards: public ones get DHCP, private ones stay in their network."""
    Nic.objects.bulk_create(
        Nic(
            server=clone,
            position=nic.position,
            model=nic.model,
            conf=Nic.Conf.DHCP if nic.conf else "",
            vlan=nic.vlan,
            boot_order=nic.boot_order,
        )
        for nic in source.nics.all()
    )


def copy_keys(source: Server, clone: Server) -> None:
    """Give the clone the same keys; one that is just being deleted is left out."""
    keys = list(source.pubkeys.values_list("keypair_id", flat=True))
    known = set(KeyPair.objects.filter(pk__in=keys).locked().values_list("pk", flat=True))
    replace_keys(clone, [key for key in keys if key in known])


def clone_mounts(source: Server, clone: Server, wishes: CloneWishes) -> list[JobSpec]:
    """Mount clones of the source's disks, and its CDs, in the same places; return the jobs."""
    avoid = avoid_hosts(source.owner, wishes.avoid)
    drives = {d.pk: d for d in Drive.objects.filter(mounts__server=source).locked()}
    jobs: list[JobSpec] = []
    planned: Counter[str] = Counter()  # bytes by storage host
    given = {"verify": wishes.verify}
    for mount in source.mounts.all():
        drive = drives[mount.drive_id]
        if drive.media == Drive.Media.DISK:
            drive, job = plan_clone(drive, source.owner, given, avoid, planned)
            planned[drive.storage_host] += job.weight
            jobs.append(replace(job, params=job.params | {"mount": mount.place}))
        Mount.objects.create(server=clone, drive=drive, **mount.place)
    return jobs


def clone_job(source: Server, clone: Server, disks: list[JobSpec]) -> JobSpec:
    """Return the tree: the server's clone, and below it one job for each disk."""
    return JobSpec(
        operations.CloneServer.name,
        params={"source": str(source.pk), "server": str(clone.pk)},
        resources=(
            Resource(KIND, source.pk, source.name),
            Resource(KIND, clone.pk, clone.name),
        ),
        children=tuple(disks),
    )


def avoid_hosts(owner: User, uuids: frozenset[UUID]) -> frozenset[str]:
    """Return the storage hosts of these drives, and of the drives of these servers."""
    drives = Drive.objects.owned_by(owner)
    mounted = drives.filter(mounts__server__in=uuids).values_list("pk", flat=True)
    return placement.hosts_to_avoid(owner, uuids | set(mounted))


@transaction.atomic
def start_server(uuid: UUID, owner: User) -> None:
    """Submit the start of a stopped server.

    Raises:
        Missing: the owner has no such server.
        Refused: it is not stopped, or its drives are not ready.
    """
    server = lock_server(uuid, owner)
    for drive in Drive.objects.filter(mounts__server=server).locked():
        if not is_ready(drive):
            message = f"The drive {drive.pk} is {drive.status}; start the server when it is ready."
            raise Refused(message, "drives")
    change_power(server, operations.StartServer, Server.Status.STOPPED)


def is_ready(drive: Drive) -> bool:
    """May a server run with this drive? A disk that is being read must not change."""
    if drive.is_in_library:
        return drive.is_readable
    read_only = drive.media == Drive.Media.CDROM and drive.status == Drive.Status.CLONING_SRC
    return drive.status == Drive.Status.MOUNTED or read_only


@transaction.atomic
def stop_server(uuid: UUID, owner: User) -> None:
    """Submit that a running server loses its power. Raises as `start_server`."""
    change_power(lock_server(uuid, owner), operations.StopServer, Server.Status.RUNNING)


@transaction.atomic
def shut_down_server(uuid: UUID, owner: User) -> None:
    """Submit that a running server is asked to shut down. Raises as `start_server`."""
    change_power(lock_server(uuid, owner), operations.ShutDownServer, Server.Status.RUNNING)


def change_power(
    server: Server, operation: type[operations.PowerOperation], expected: Server.Status
) -> None:
    """Move a server whose row is locked into the passing status and submit the job."""
    if not server.become(operation.passing, expected):
        raise Refused(f"The server is {server.status}, not {expected}.", "status")
    resources = (Resource(KIND, server.pk, server.name),)
    params = {"server": str(server.pk)}
    submit(JobSpec(operation.name, params, resources=resources), server.owner)


def lock_server(uuid: UUID, owner: User) -> Server:
    """Return a server of the owner, its row locked until the transaction ends.

    Raises:
        Missing: the owner has no such server.
    """
    server: Server | None = Server.objects.owned_by(owner).filter(pk=uuid).locked().first()
    if server is None:
        raise Missing("There is no such server.")
    return server
