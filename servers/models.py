"""The server, the drives that are mounted on it, and its network cards."""

import secrets
import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from drives.models import Drive
from jobs.statuses import WorkedOn
from keypairs.models import KeyPair
from servers.querysets import ServerQuerySet


class Server(WorkedOn, models.Model):
    """A virtual machine: what it consists of, and whether it runs.

        stopped ──▶ starting ──▶ running ──▶ stopping ──▶ stopped

    `starting` and `stopping` always have an unfinished internal job behind them; when it ends, the
    hypervisor says what the server is then. A clone is `stopped` from the first moment on.
    """

    class Status(models.TextChoices):
        STOPPED = "stopped"
        STARTING = "starting"
        RUNNING = "running"
        STOPPING = "stopping"
        UNAVAILABLE = "unavailable"

    AT_REST: ClassVar[tuple[Status, ...]] = (Status.STOPPED, Status.UNAVAILABLE)

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="servers"
    )
    name = models.CharField(max_length=255)
    status = models.CharField(max_length=11, choices=Status.choices, default=Status.STOPPED)
    active_since = models.DateTimeField("running since", null=True, blank=True)

    cpu = models.PositiveIntegerField("MHz of all cores together")
    smp = models.PositiveSmallIntegerField("cores", default=1)
    mem = models.PositiveBigIntegerField("memory in bytes")
    vnc_password = models.CharField(max_length=64)
    context = models.BooleanField(default=True)
    cpu_model = models.CharField(max_length=32, null=True, blank=True)  # noqa: DJ001
    cpu_type = models.CharField(max_length=16, default="amd")
    cpus_instead_of_cores = models.BooleanField(default=False)
    enable_numa = models.BooleanField(default=False)
    hv_relaxed = models.BooleanField(default=False)
    hv_tsc = models.BooleanField(default=False)
    hypervisor = models.CharField(max_length=16, default="kvm")
    requirements = models.JSONField(default=list, blank=True)
    meta = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = ServerQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["created_at", "uuid"]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["owner", "created_at", "uuid"], name="server_list"),
            models.Index(fields=["owner", "name"], name="server_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_at_rest(self) -> bool:
        """Is nothing running that could change its drives?"""
        return self.status in self.AT_REST


class Mount(models.Model):
    """A drive on a channel of a server, e.g. `0:1` (controller:unit) of its virtio bus."""

    class Device(models.TextChoices):
        IDE = "ide"
        VIRTIO = "virtio"
        SCSI = "scsi"

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="mounts")
    drive = models.ForeignKey(Drive, on_delete=models.CASCADE, related_name="mounts")
    device = models.CharField(max_length=6, choices=Device.choices)
    dev_channel = models.CharField("channel", max_length=16, help_text="controller:unit")
    boot_order = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["server", "device", "dev_channel"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["server", "device", "dev_channel"], name="one_drive_per_channel"
            ),
            models.UniqueConstraint(fields=["server", "drive"], name="one_mount_per_drive"),
        ]

    def __str__(self) -> str:
        return f"{self.drive_id} on {self.device} {self.dev_channel}"

    @property
    def place(self) -> dict[str, Any]:
        """Where the drive is on its server, whichever drive and server these are."""
        names = ("device", "dev_channel", "boot_order")
        return {name: getattr(self, name) for name in names}


class ServerKey(models.Model):
    """An SSH key of a server, in the order in which they were given."""

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="pubkeys")
    keypair = models.ForeignKey(KeyPair, on_delete=models.CASCADE, related_name="server_keys")

    class Meta:
        ordering: ClassVar[list[str]] = ["server", "id"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["server", "keypair"], name="one_key_per_server")
        ]

    def __str__(self) -> str:
        return f"{self.keypair_id} of {self.server_id}"


def new_mac() -> str:
    """Return a MAC address of our own: unicast, locally administered, `22:…`."""
    return ":".join(["22", *(f"{byte:02x}" for byte in secrets.token_bytes(5))])


class Nic(models.Model):
    """A network card: in the public network with an IPv4 configuration, or in a private one."""

    class Conf(models.TextChoices):
        DHCP = "dhcp"
        STATIC = "static"
        MANUAL = "manual"

    class Model(models.TextChoices):
        VIRTIO = "virtio"
        E1000 = "e1000"

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="nics")
    position = models.PositiveSmallIntegerField()
    mac = models.CharField(max_length=17, unique=True, default=new_mac)
    model = models.CharField(max_length=6, choices=Model.choices, default=Model.VIRTIO)
    conf = models.CharField("IPv4", max_length=6, choices=Conf.choices, blank=True, default="")
    ip = models.GenericIPAddressField("static IPv4", protocol="IPv4", null=True, blank=True)
    vlan = models.UUIDField("private network", null=True, blank=True)
    boot_order = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["server", "position"]

    def __str__(self) -> str:
        return self.mac

    @property
    def interface_type(self) -> str:
        return "private" if self.vlan else "public"
