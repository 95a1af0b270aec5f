"""Putting drives, network cards and keys into a server: which places there are, and what may go
there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from cloudjobs.api.exceptions import Invalid, Refused
from drives import actions as drive_actions
from drives.models import Drive
from keypairs.models import KeyPair
from servers.limits import MOST_DRIVES, MOST_NICS
from servers.models import Mount, Nic, Server, ServerKey, new_mac

# How many controllers and units a device has. virtio and scsi buses take 6 drives each.
CHANNELS = {
    Mount.Device.IDE: (2, 2),
    Mount.Device.VIRTIO: (-(-MOST_DRIVES // 6), 6),
    Mount.Device.SCSI: (-(-MOST_DRIVES // 6), 6),
}
MOUNTABLE = (*Drive.SETTLED, Drive.Status.CREATING, Drive.Status.CLONING_DST)


@dataclass(frozen=True)
class MountSpec:
    """A drive and its place. `dev_channel` is `controller:unit`."""

    drive: UUID
    device: str
    dev_channel: str
    boot_order: int | None = None


@dataclass(frozen=True)
class NicSpec:
    """A network card. `mac` names a card that the server has already; else it gets a new one."""

    model: str
    conf: str = ""
    ip: str | None = None
    vlan: UUID | None = None
    mac: str = ""
    boot_order: int | None = None


def replace_mounts(server: Server, specs: list[MountSpec]) -> None:
    """Give a server whose row is locked exactly these drives.

    Raises:
        Invalid: a place does not exist or is taken twice, or there is no such drive.
        Refused: a drive belongs to another server, or is in a status in which it cannot come along.
    """
    check_places(specs)
    before = mounted_on(server)
    wanted = {spec.drive for spec in specs}
    drives = Drive.objects.reachable_by(server.owner).filter(pk__in=before | wanted).locked()
    by_uuid = {drive.pk: drive for drive in drives}
    check_drives(server, specs, by_uuid)
    server.mounts.all().delete()
    Mount.objects.bulk_create(
        Mount(
            server=server,
            drive=by_uuid[spec.drive],
            device=spec.device,
            dev_channel=spec.dev_channel,
            boot_order=spec.boot_order,
        )
        for spec in specs
    )
    drive_actions.settle_mounts(by_uuid.values())


def mounted_on(server: Server) -> set[UUID]:
    return set(server.mounts.values_list("drive_id", flat=True))


def check_drives(server: Server, specs: list[MountSpec], drives: dict[UUID, Drive]) -> None:
    """Let pass wishes for drives, whose rows are locked, that the server has or may take."""
    mounted = mounted_on(server)  # under the locks: one that was just deleted has lost its mounts
    elsewhere = mounted_elsewhere(server, drives.values())
    for index, spec in enumerate(specs):
        point = f"drives.{index}.drive"
        if spec.drive not in drives:
            raise Invalid("There is no such drive.", point)
        if spec.drive not in mounted:
            check_drive(drives[spec.drive], spec.drive in elsewhere, point)


def check_places(specs: list[MountSpec]) -> None:
    """Let pass drives that each have an existing place for themselves."""
    if len(specs) > MOST_DRIVES:
        raise Invalid(f"A server has at most {MOST_DRIVES} drives.", "drives")
    places: set[tuple[str, str]] = set()
    drives: set[UUID] = set()
    for index, spec in enumerate(specs):
        check_channel(spec, f"drives.{index}.dev_channel")
        if (spec.device, spec.dev_channel) in places:
            message = f"Two drives are on {spec.device} {spec.dev_channel}."
            raise Invalid(message, f"drives.{index}.dev_channel")
        if spec.drive in drives:
            raise Invalid("A drive is mounted once on a server.", f"drives.{index}.drive")
        places.add((spec.device, spec.dev_channel))
        drives.add(spec.drive)


def check_channel(spec: MountSpec, point: str) -> None:
    """Let pass a channel that the device has."""
    controllers, units = CHANNELS[Mount.Device(spec.device)]
    controller, unit = (int(number) for number in spec.dev_channel.split(":"))
    if controller >= controllers or unit >= units:
        last = f"{controllers - 1}:{units - 1}"
        raise Invalid(f"The channels of {spec.device} are 0:0 to {last}.", point)


def mounted_elsewhere(server: Server, drives: Iterable[Drive]) -> set[UUID]:
    """Return which of these drives another server has, of those that only one may have."""
    alone = [drive.pk for drive in drives if not drive.is_shareable]
    others = Mount.objects.filter(drive__in=alone).exclude(server=server)
    return set(others.values_list("drive_id", flat=True))


def check_drive(drive: Drive, is_elsewhere: bool, point: str) -> None:
    """Let pass a drive, whose row is locked, that a server may take in addition to its own."""
    if drive.is_in_library and drive.media == Drive.Media.DISK:
        raise Refused("A disk of the library is cloned first; the clone can be mounted.", point)
    if drive.status not in MOUNTABLE:
        raise Refused(f"A drive that is {drive.status} cannot be mounted.", point)
    if is_elsewhere:
        raise Refused("The drive is mounted on another server.", point)


def replace_nics(server: Server, specs: list[NicSpec]) -> None:
    """Give a server whose row is locked exactly these cards; those it keeps keep their addresses.

    Raises:
        Invalid: there are too many, or a card is named by a MAC address that the server does not
            have, or twice.
    """
    if len(specs) > MOST_NICS:
        raise Invalid(f"A server has at most {MOST_NICS} cards.", "nics")
    known = {nic.mac for nic in server.nics.all()}
    named: set[str] = set()
    for index, spec in enumerate(specs):
        if spec.mac and (spec.mac not in known or spec.mac in named):
            message = "The server has no card with this address, or it is named twice."
            raise Invalid(message, f"nics.{index}.mac")
        named.add(spec.mac)
    server.nics.all().delete()
    Nic.objects.bulk_create(
        Nic(
            server=server,
            position=position,
            mac=spec.mac or new_mac(),
            model=spec.model,
            conf=spec.conf,
            ip=spec.ip,
            vlan=spec.vlan,
            boot_order=spec.boot_order,
        )
        for position, spec in enumerate(specs)
    )


def replace_keys(server: Server, uuids: list[UUID]) -> None:
    """Give a server whose row is locked exactly these keys.

    Raises:
        Invalid: the owner has no such key.
    """
    mine = KeyPair.objects.owned_by(server.owner).filter(pk__in=uuids).locked()
    known = set(mine.values_list("pk", flat=True))
    for index, uuid in enumerate(uuids):
        if uuid not in known:
            raise Invalid("There is no such key.", f"pubkeys.{index}")
    server.pubkeys.all().delete()
    ServerKey.objects.bulk_create(
        ServerKey(server=server, keypair_id=uuid) for uuid in dict.fromkeys(uuids)
    )
