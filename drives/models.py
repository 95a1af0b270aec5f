"""The drive: a disk image on a storage host, and the status that its jobs put it into."""

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from cloudjobs.prepared import Hole, prepared_rows
from drives.querysets import DriveQuerySet, ImageQuerySet
from drives.storage import Limiter, StorageError, get_host
from drives.storage.limiter import LEAST_RATE
from jobs.statuses import WorkedOn

MOST_RATE = 2**50  # bytes per second; more than any disk, less than any column


class Drive(WorkedOn, models.Model):
    """A virtual disk or CD. Its image is found on `storage_host` under the drive's own uuid.

    creating ──▶ settled ◀──▶ cloning_src      while a clone or a snapshot of it is unfinished
                  ▲ ▲ └─────▶ resizing ──▶ settled
    cloning_dst ──┤ └───────▶ deleting ──▶ (gone)
    uploading ────┘                 ▲ an upload that nobody goes on with ends here, too

    A settled drive is `mounted` when a server has it, else `unmounted`. Servers know drives, not
    the other way round: what mounts a drive is found by the reverse relation `mounts`.

    A passing status always has an unfinished job behind it: the action that sets it submits the
    job in the same transaction, and the job's end settles it. Only `uploading` has an `Upload`
    instead. A drive whose image could not be made or removed is `unavailable`, and can be deleted;
    one that could not grow stays as it was.

    A drive without an owner is in the library: everyone sees and clones it, CDs are mounted by all.
    Settled it is always `unmounted`, whatever servers have it and whoever clones it, so that nobody
    sees from it what others do.
    """

    class Status(models.TextChoices):
        """`unmounted`, `mounted` and `unavailable` last; the others pass."""

        CREATING = "creating", "Being made"
        UNMOUNTED = "unmounted"
        MOUNTED = "mounted"
        CLONING_SRC = "cloning_src", "Being cloned"
        CLONING_DST = "cloning_dst", "Being filled"
        RESIZING = "resizing", "Being resized"
        UPLOADING = "uploading"
        DELETING = "deleting", "Being deleted"
        UNAVAILABLE = "unavailable"

    class Media(models.TextChoices):
        CDROM = "cdrom"
        DISK = "disk"

    READABLE: ClassVar[tuple[Status, ...]] = (
        Status.UNMOUNTED,
        Status.MOUNTED,
        Status.CLONING_SRC,
    )
    SETTLED: ClassVar[tuple[Status, ...]] = (Status.UNMOUNTED, Status.MOUNTED)
    PASSING: ClassVar[tuple[Status, ...]] = (
        Status.CREATING,
        Status.CLONING_SRC,
        Status.CLONING_DST,
        Status.RESIZING,
        Status.UPLOADING,
        Status.DELETING,
    )

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="drives",
        null=True,
        blank=True,
    )
    name = models.CharField(max_length=255)
    media = models.CharField(max_length=5, choices=Media.choices)
    size = models.PositiveBigIntegerField("size in bytes")
    status = models.CharField(max_length=11, choices=Status.choices)
    storage_host = models.CharField(max_length=64)
    storage_type = models.CharField(max_length=32)
    allow_multimount = models.BooleanField(default=False)
    affinities = models.JSONField(default=list, blank=True)
    meta = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = DriveQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["created_at", "uuid"]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["owner", "created_at", "uuid"], name="drive_list"),
            models.Index(fields=["owner", "name"], name="drive_name"),
            models.Index(fields=["storage_host"], name="drive_host"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_in_library(self) -> bool:
        return self.owner_id is None

    @property
    def is_in_use(self) -> bool:
        """Is it mounted on a server that runs, starts or stops; one of the library, on any?"""
        if self.is_in_library:
            return self.mounts.exists()
        return bool(in_use(Drive, pk=self.pk))

    @property
    def is_shareable(self) -> bool:
        """May several servers have it? A disk only if they agree on who writes to it."""
        return self.allow_multimount or self.media == self.Media.CDROM

    @property
    def is_readable(self) -> bool:
        """Is there a whole image, that nothing is changing?"""
        return self.status in self.READABLE


@prepared_rows
def in_use(drives: Any) -> models.QuerySet:
    return drives.in_use().filter(pk=Hole("pk")).order_by().values_list("pk")


class LibraryEntry(models.Model):
    """What is told of a drive of the library: each has one, and no other drive has."""

    drive = models.OneToOneField(
        Drive, on_delete=models.CASCADE, primary_key=True, related_name="library_entry"
    )
    arch = models.CharField("architecture", max_length=16, blank=True, default="64")
    category = models.JSONField(default=list, blank=True, help_text='Such as ["general"].')
    description = models.TextField(blank=True, default="")
    distribution = models.CharField(max_length=64, blank=True, default="")
    image_type = models.CharField(
        max_length=16, blank=True, default="install", help_text="install or preinst"
    )
    install_notes = models.TextField(blank=True, default="")
    os = models.CharField("operating system", max_length=32, blank=True, default="other")
    paid = models.BooleanField("needs a licence", default=False)
    url = models.URLField(blank=True, default="")
    version = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        verbose_name = "library drive"
        ordering: ClassVar[list[str]] = ["drive__created_at", "drive"]

    def __str__(self) -> str:
        return self.drive.name


class Upload(models.Model):
    """An image that comes in chunks: which bytes of it are there, in whatever order they came.

    It stays for a day after the drive has become one like any other.
    """

    drive = models.OneToOneField(
        Drive, on_delete=models.CASCADE, primary_key=True, related_name="upload"
    )
    length = models.PositiveBigIntegerField("bytes announced")
    size = models.PositiveBigIntegerField("size of the drive that it becomes")
    received = models.JSONField(default=list, help_text="pairs of offsets, from and up to")
    bytes_done = models.PositiveBigIntegerField("bytes received", default=0)
    changed_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"upload of {self.drive_id}"

    @property
    def is_complete(self) -> bool:
        return self.bytes_done == self.length


class Snapshot(WorkedOn, models.Model):
    """What a drive's image was at one moment: an image of its own on the drive's host.

    creating ──▶ available ──▶ deleting ──▶ (gone)

    One that could not be made or removed is `unavailable`, and can be deleted. A passing status
    always has an unfinished job behind it. With its drive a snapshot is deleted, too.
    """

    class Status(models.TextChoices):
        """`available` and `unavailable` last; the others pass."""

        CREATING = "creating"
        AVAILABLE = "available"
        DELETING = "deleting"
        UNAVAILABLE = "unavailable"

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    drive = models.ForeignKey(Drive, on_delete=models.CASCADE, related_name="snapshots")
    name = models.CharField(max_length=255)
    meta = models.JSONField(default=dict, blank=True)
    size = models.PositiveBigIntegerField("size in bytes")
    allocated_size = models.PositiveBigIntegerField("bytes on disk", null=True, blank=True)
    status = models.CharField(max_length=11, choices=Status.choices)
    storage_host = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = ImageQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at", "uuid"]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["owner", "-created_at", "uuid"], name="snapshot_list"),
            models.Index(fields=["storage_host"], name="snapshot_host"),
        ]

    def __str__(self) -> str:
        return self.name


class BandwidthLimit(models.Model):
    """What operators have set the bandwidth of a storage host to, instead of what the settings say.

    Workers do not ask here: `drives.bandwidth` puts it where the host's limiter finds it.
    """

    storage_host = models.CharField(max_length=64, unique=True)
    bandwidth = models.PositiveBigIntegerField(
        "bytes per second",
        null=True,
        blank=True,
        validators=[MinValueValidator(LEAST_RATE), MaxValueValidator(MOST_RATE)],
        help_text=f"At least {LEAST_RATE}. Empty: what the settings say.",
    )
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("storage_host",)

    def __str__(self) -> str:
        return self.storage_host

    def clean(self) -> None:
        self.find_limiter()

    def find_limiter(self) -> Limiter:
        """Return what limits the host.

        Raises:
            ValidationError: there is no such host, or it is away or cannot be limited.
        """
        try:
            backend = get_host(self.storage_host).backend
            backend.check()
            if backend.limiter is None:
                raise ValidationError("This kind of storage cannot be limited.")
            backend.limiter.check()
        except StorageError as error:
            raise ValidationError(str(error)) from error
        return backend.limiter
