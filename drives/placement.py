"""Where a new image goes, and whether its bytes fit there."""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, OuterRef, QuerySet, Subquery, Sum

from accounts.models import User
from cloudjobs.api.exceptions import BackendUnavailable, Invalid
from cloudjobs.prepared import prepared_rows
from drives.models import Drive, Snapshot, Upload
from drives.storage import (
    StorageError,
    StorageHost,
    all_hosts,
    get_host,
    hosts_of,
    round_up_size,
    storage_types,
)
from jobs.models import Job

RESERVATION_LOCK = 0x636A_7370  # any number, the same for all who reserve
AWAY = -1  # bytes free on a host that does not answer
NOTHING: Mapping[str, int] = MappingProxyType({})


def ask_storage() -> None:
    """Ask every host whether it answers; that one is away matters only where it is needed."""
    for host in all_hosts():
        with suppress(StorageError):
            host.backend.ask()


def choose_host(
    storage_type: str,
    size: int,
    needed: int = 0,
    avoid: frozenset[str] = frozenset(),
    planned: Mapping[str, int] = NOTHING,
) -> StorageHost:
    """Return the host with most room for an image of `size` bytes, `needed` of them to be written.

    A host named in `avoid` is taken only where no other has room. The caller is in a transaction,
    and submits the job that needs the bytes in it: that job is the reservation. `planned` is the
    bytes, by host, of jobs that it has chosen hosts for and not yet submitted.

    Raises:
        Invalid: there is no such storage type, or none of its hosts takes this size.
        BackendUnavailable: no host has the bytes free, or none answers.
    """
    hosts = hosts_taking(storage_type, size)
    lock_reservations()
    room = rooms_on(hosts, reserved_bytes(), planned)
    best = max(
        hosts,
        key=lambda h: (room[h.name] >= needed, h.name not in avoid, room[h.name]),
    )
    if all(free == AWAY for free in room.values()):
        raise BackendUnavailable(f"No {storage_type} storage answers now.")
    if room[best.name] < needed:
        raise BackendUnavailable(
            f"There is not enough space on {storage_type} storage: {needed} bytes are needed, "
            f"{max(0, *room.values())} are free."
        )
    return best


def require_room(host: str, needed: int) -> None:
    """Refuse what does not fit on a storage host; the caller reserves it in its transaction.

    Raises:
        BackendUnavailable: the bytes are not free, or it does not answer.
    """
    lock_reservations()
    room = rooms_on([get_host(host)], reserved_bytes())[host]
    if room == AWAY:
        raise BackendUnavailable(f"The storage {host} does not answer now.")
    if room < needed:
        raise BackendUnavailable(
            f"There is not enough space on {host}: {needed} bytes are needed, "
            f"{max(0, room)} are free."
        )


def hosts_taking(storage_type: str, size: int) -> list[StorageHost]:
    """Return the hosts of a storage type that take images of a size.

    Raises:
        Invalid: there are none; the message names the field and what it may be.
    """
    hosts = hosts_of_type(storage_type)
    taking = [host for host in hosts if host.min_size <= size <= host.max_size]
    if not taking:
        least, most = min(h.min_size for h in hosts), max(h.max_size for h in hosts)
        raise Invalid(
            f"The size of a drive on {storage_type} is between {least} and {most} bytes.", "size"
        )
    return taking


def uploaded_size(storage_type: str, length: int) -> int:
    """Return the size of a drive whose image is uploaded: small ones are grown to the minimum."""
    least = min(host.min_size for host in hosts_of_type(storage_type))
    return max(round_up_size(length), least)


def hosts_of_type(storage_type: str) -> list[StorageHost]:
    """Return the hosts of a storage type.

    Raises:
        Invalid: there are none of it.
    """
    hosts = hosts_of(storage_type)
    if not hosts:
        known = ", ".join(storage_types())
        raise Invalid(f"There is no such storage type here. There are: {known}.", "storage_type")
    return hosts


def rooms_on(
    hosts: Iterable[StorageHost], reserved: Mapping[str, int], planned: Mapping[str, int] = NOTHING
) -> dict[str, int]:
    """Return the free bytes of hosts that no job, no upload and nothing that is planned needs.

    A host that is away has less than none. `reserved` is what `reserved_bytes` returned in this
    transaction; hosts of one volume take from the same bytes.
    """
    volumes = {host.name: volume_of(host) for host in all_hosts()}
    taken: Counter[str | None] = Counter()
    for name, volume in volumes.items():
        taken[volume] += reserved.get(name, 0) + planned.get(name, 0)
    return {
        host.name: free_bytes(host, taken[volume]) if (volume := volumes[host.name]) else AWAY
        for host in hosts
    }


def volume_of(host: StorageHost) -> str | None:
    """Return what a host takes its bytes from, or None while it is away."""
    try:
        return host.backend.volume()
    except StorageError:
        return None


def free_bytes(host: StorageHost, taken: int) -> int:
    """Return the bytes of a host that are free beside those that are taken."""
    try:
        return host.backend.free() - taken
    except StorageError:
        return AWAY


def reserved_bytes() -> Mapping[str, int]:
    """Return the bytes, by host, that jobs have still to write and uploads have announced.

    A job that writes is on the lane of the host that it writes to.
    """
    reserved: Counter[str] = Counter()
    for host, needed in bytes_needed(Job):
        reserved[host] += int(needed)
    return reserved


@prepared_rows
def bytes_needed(jobs: Any) -> QuerySet:
    """Return what is reserved, in parts: a host, and bytes that it has to keep free."""
    return awaited(jobs).union(unwritten(jobs), announced(Upload.objects), all=True)


def awaited(jobs: Any) -> QuerySet:
    """Return what waiting jobs will write, which may be many: summed up in the index `job_waiting`.

    Jobs that run are not in it, so no report of progress has to change it.
    """
    waiting = jobs.unfinished().filter(lease_token=None, weight__gt=F("bytes_done")).order_by()
    return waiting.values_list("lane").annotate(needed=Sum(F("weight") - F("bytes_done")))


def unwritten(jobs: Any) -> QuerySet:
    """Return what jobs that run have still to write.

    Summed up for each owner, as the index `job_leased` has them; or SQLite takes that of all
    unfinished.
    """
    running = jobs.leased().filter(weight__gt=F("bytes_done")).order_by().values("owner", "lane")
    still = running.annotate(needed=Sum(F("weight") - F("bytes_done")))
    return still.values_list("lane", "needed")


def announced(uploads: Any) -> QuerySet:
    """Return what each upload has still to send; joined, SQLite might read all drives for them."""
    host = Drive.objects.filter(pk=OuterRef("drive_id")).order_by().values("storage_host")
    coming = uploads.filter(length__gt=F("bytes_done")).order_by()
    return coming.values_list(Subquery(host), F("length") - F("bytes_done"))


def lock_reservations() -> None:
    """Let one transaction at a time count free bytes and reserve; SQLite does so by itself."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [RESERVATION_LOCK])


def hosts_to_avoid(owner: User, images: Iterable[UUID]) -> frozenset[str]:
    """Return the hosts on which these drives and snapshots lie.

    Those that the user cannot see do not matter.
    """
    wanted = list(images)
    hosts: set[str] = set()
    if wanted:
        seen = (Drive.objects.reachable_by(owner), Snapshot.objects.owned_by(owner))
        for lying in seen:
            hosts.update(lying.filter(pk__in=wanted).values_list("storage_host", flat=True))
    return frozenset(hosts)
