"""Drives as pages show them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from cloudjobs.pages.live import Part
from cloudjobs.pages.measures import size_text
from drives.models import Drive
from drives.operations import ResizeDrive
from drives.querysets import KIND, SERVER_AT_WORK
from jobs.models import Job

Status = Drive.Status


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
    """A drive; `busy_with` names the servers of the reader that work with it now, and `failure`
    tells why it is unavailable.
    """

    uuid: str
    name: str
    media: str
    size: str
    storage_type: str
    storage_host: str
    created: datetime
    status: StatusMark
    mounts: tuple[Mounted, ...]
    busy_with: str
    can_read: bool
    can_clone: bool
    can_delete: bool
    is_passing: bool
    failure: str

    @property
    def url(self) -> str:
        return reverse("drives:detail", args=[self.uuid])

    def as_part(self) -> Part:
        return Part(f"drive-{self.uuid}", "drives/drive_row.html", self)


def row_of(drive: Drive, failure: str = "") -> DriveRow:
    """Return the row of a drive whose mounts are fetched."""
    mounts: Iterable[Any] = drive.mounts.all()
    busy_with = "" if drive.is_in_library else servers_at_work(mounts)
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
        busy_with=busy_with,
        can_read=drive.is_readable,
        can_clone=drive.is_readable and not busy_with,
        can_delete=not (drive.status in Drive.PASSING or drive.is_in_library or busy_with),
        is_passing=drive.status in Drive.PASSING,
        failure=failure,
    )


def failure_of(drive: Drive) -> str:
    """Return why a drive is unavailable, as far as is known, or nothing if it is not."""
    if drive.status != Status.UNAVAILABLE:
        return ""
    ended = Job.objects.linked_to(KIND, [drive.pk]).filter(params__drive=str(drive.pk))
    failed = ended.exclude(operation=ResizeDrive.name).filter(state=Job.State.FAILED)
    error = failed.order_by("-finished_at").values_list("error", flat=True).first()
    if error is None:
        return "Its image is missing, or could not be made or removed."
    return f"Its image could not be made or removed. {error}"


def servers_at_work(mounts: Iterable[Any]) -> str:
    """Return the names of the servers that are not at rest; while they work, bytes may change."""
    servers = (mount.server for mount in mounts)
    return ", ".join(one.name for one in servers if one.status in SERVER_AT_WORK)


def mounted(mount: Any) -> Mounted:
    place = f"{mount.device} {mount.dev_channel}"
    return Mounted(str(mount.server_id), mount.server.name, place)


def mark_of(status: str) -> StatusMark:
    word = str(Status(status).label)
    if status in Drive.PASSING:
        return StatusMark("passing", "running", word)
    if status == Status.UNAVAILABLE:
        return StatusMark("failed", "failed", word)
    return StatusMark("success", "success" if status == Status.MOUNTED else "cancelled", word)
