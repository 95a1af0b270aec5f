"""`manage.py create_demo`: an account to try the service with, in an empty database only."""

import random
from typing import Any, BinaryIO, cast

from django.core.management.base import BaseCommand

from accounts.models import Profile, User
from drives.actions import DriveSpec
from drives.models import Drive
from drives.storage import storage_types
from drives.uploads.whole import upload_drive
from servers.actions import ServerSpec, create_servers
from servers.models import Mount, Nic
from servers.mounting import MountSpec, NicSpec

EMAIL, PASSWORD = "demo@example.com", "demo"
MIB = 1024**2
SLOW = "zadara"  # the storage on which the first clone can be watched, if there is any


class RandomStream:
    """Random bytes without an end, the same at each start."""

    def __init__(self) -> None:
        self.random = random.Random(EMAIL)  # noqa: S311  it fills a disk

    def read(self, size: int = MIB) -> bytes:
        return self.random.randbytes(size)


class Command(BaseCommand):
    help = f"Creates {EMAIL} with a server of two disks and a CD, if there is no account yet."

    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.exists():
            return
        demo = User.objects.create_user(EMAIL, PASSWORD)
        naming = Profile.CloneNaming.COUNTER  # so that a clone can be told from its source
        Profile.objects.filter(user=demo).update(clone_naming=naming)
        usual = storage_types()[0]
        slow = SLOW if SLOW in storage_types() else usual
        disk = make_drive(demo, "demo-disk", 256 * MIB, slow)
        data = make_drive(demo, "demo-data", 64 * MIB, slow)
        rescue = make_drive(demo, "demo-cd", 16 * MIB, usual, Drive.Media.CDROM)
        make_server(demo, disk, data, rescue)
        self.stdout.write(f"created the demo account {EMAIL} with a server to clone")


def make_drive(
    owner: User, name: str, data: int, storage_type: str, media: str = Drive.Media.DISK
) -> Drive:
    """Return a drive that holds as many bytes of data."""
    spec = DriveSpec(name, data, media, storage_type)
    return upload_drive(owner, spec, cast(BinaryIO, RandomStream()), data, frozenset())


def make_server(owner: User, disk: Drive, data: Drive, rescue: Drive) -> None:
    machine = {"name": "demo-server", "cpu": 2000, "mem": 1024 * MIB, "vnc_password": PASSWORD}
    mounts = [
        MountSpec(disk.pk, Mount.Device.VIRTIO, "0:0", boot_order=1),
        MountSpec(data.pk, Mount.Device.VIRTIO, "0:1"),
        MountSpec(rescue.pk, Mount.Device.IDE, "0:0"),
    ]
    nics = [NicSpec(Nic.Model.VIRTIO, Nic.Conf.DHCP)]
    create_servers(owner, [ServerSpec(machine, mounts, nics)])
