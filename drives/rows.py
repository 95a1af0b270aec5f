"""Drives as pages show them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from cloudjobs.pages.live import Part
from cloudjobs.pages.measures import size_text
from drives.models import Drive

Status = Drive.Status
PASSING = frozenset(Status) - {*Drive.SETTLED, Status.UNAVAILABLE}
WORDS: dict[str, str] = {
    Status.CREATING: "Being made",
    Status.CLONING_SRC: "Being cloned",
    Status.CLONING_DST: "Being filled",
    Status.RESIZING: "Being resized",
    Status.DELETING: "Being deleted",
}


@dataclass(frozen=True)
class StatusMark:
    """A status: an icon, a tone and a word."""

    icon: str
    tone: str
    word: str


@dataclass(frozen=True)
class Mounted:
    """A server that has the drive, and where."""

    uuid: str
    name: str
    place: str


@dataclass(frozen=True)
class DriveRow:
    uuid: str
    name: str
    media: str
    size: str
    storage_type: str
    storage_host: str
    created: datetime
    status: StatusMark
    mounts: tuple[Mounted, ...]
    can_read: bool
    can_delete: bool
    is_passing: bool

    @property
    def url(self) -> str:
        return reverse("drives:detail", args=[self.uuid])

    def as_part(self) -> Part:
        return Part(f"drive-{self.uuid}", "drives/drive_row.html", self)


def row_of(drive: Drive) -> DriveRow:
    """Return the row of a drive whose mounts are fetched."""
    mounts: Iterable[Any] = drive.mounts.all()
    return DriveRow(
        uuid=str(drive.pk),
        name=drive.name,
        media=drive.media,
        size=size_text(drive.size),
        storage_type=drive.storage_type,
        storage_host=drive.storage_host,
        created=drive.created_at,
        status=mark_of(drive.status),
        mounts=tuple(mounted(mount) for mount in mounts),
        can_read=drive.is_readable,
        can_delete=drive.status not in PASSING and not drive.is_in_library,
        is_passing=drive.status in PASSING,
    )


def mounted(mount: Any) -> Mounted:
    place = f"{mount.device} {mount.dev_channel}"
    return Mounted(str(mount.server_id), mount.server.name, place)


def mark_of(status: str) -> StatusMark:
    word = WORDS.get(status, status.capitalize())
    if status in PASSING:
        return StatusMark("passing", "running", word)
    if status == Status.UNAVAILABLE:
        return StatusMark("failed", "failed", word)
    return StatusMark("success", "success" if status == Status.MOUNTED else "cancelled", word)
