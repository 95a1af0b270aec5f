"""Servers as pages show them."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from cloudjobs.pages.live import Part
from cloudjobs.pages.measures import size_text
from drives.rows import StatusMark
from servers.models import Mount, Nic, Server

Status = Server.Status
CONFS = {"dhcp": "DHCP", "manual": "set up by hand", "static": "static"}
PASSING = frozenset({Status.STARTING, Status.STOPPING})


@dataclass(frozen=True)
class ServerDrive:
    """A drive on a channel of the server."""

    uuid: str
    name: str
    media: str
    size: str
    place: str


@dataclass(frozen=True)
class Card:
    """A network card, in words."""

    mac: str
    network: str


@dataclass(frozen=True)
class ServerRow:
    uuid: str
    name: str
    status: StatusMark
    cpu: str
    mem: str
    drives: tuple[ServerDrive, ...]
    cards: tuple[Card, ...]
    created: datetime
    active_since: datetime | None
    can_start: bool
    can_stop: bool
    is_at_rest: bool
    is_passing: bool

    @property
    def url(self) -> str:
        return reverse("servers:detail", args=[self.uuid])

    def as_part(self) -> Part:
        return Part(f"server-{self.uuid}", "servers/server_row.html", self)


def row_of(server: Server) -> ServerRow:
    """Return the row of a server whose parts, and their drives, are fetched."""
    return ServerRow(
        uuid=str(server.pk),
        name=server.name,
        status=mark_of(server.status),
        cpu=cpu_text(server),
        mem=size_text(server.mem),
        drives=tuple(drive_of(mount) for mount in server.mounts.all()),
        cards=tuple(card_of(nic) for nic in server.nics.all()),
        created=server.created_at,
        active_since=server.active_since,
        can_start=server.status == Status.STOPPED,
        can_stop=server.status == Status.RUNNING,
        is_at_rest=server.is_at_rest,
        is_passing=server.status in PASSING,
    )


def cpu_text(server: Server) -> str:
    cores = "1 core" if server.smp == 1 else f"{server.smp} cores"
    return f"{server.cpu / 1000:.3g} GHz on {cores}"


def drive_of(mount: Mount) -> ServerDrive:
    drive, place = mount.drive, f"{mount.device} {mount.dev_channel}"
    return ServerDrive(str(drive.pk), drive.name, drive.media, size_text(drive.size), place)


def card_of(nic: Nic) -> Card:
    if nic.vlan:
        return Card(nic.mac, f"private network {nic.vlan}")
    return Card(nic.mac, f"public, {nic.ip or CONFS[nic.conf]}")


def mark_of(status: str) -> StatusMark:
    word = Server.Status(status).label
    if status in PASSING:
        return StatusMark("passing", "running", word)
    if status == Status.RUNNING:
        return StatusMark("running", "success", word)
    tone = "failed" if status == Status.UNAVAILABLE else "cancelled"
    return StatusMark("off" if tone == "cancelled" else "failed", tone, word)
