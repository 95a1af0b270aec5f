"""Storage of its own for each test, and a server with all that a server can have."""

from pathlib import Path

import pytest

from accounts.models import User
from drives.models import Drive
from servers.models import Server
from tests.factories import MIB, DriveFactory, MountFactory, NicFactory, ServerFactory


@pytest.fixture(autouse=True)
def own_storage(storage: Path) -> Path:
    return storage


@pytest.fixture
def server(owner: User) -> Server:
    """A stopped server without drives and cards."""
    return ServerFactory(owner=owner, name="bare")


@pytest.fixture
def full_server(owner: User) -> Server:
    """A stopped server with a large and a small disk, a CD, and two network cards."""
    server = ServerFactory(owner=owner, name="full", meta={"k": "v"})
    disk = {"server": server, "drive__image": b"x" * 3 * MIB, "drive__name": "large"}
    MountFactory(dev_channel="0:0", boot_order=1, **disk)
    MountFactory(server=server, dev_channel="0:1", drive__image=b"x" * MIB, drive__name="small")
    MountFactory(
        server=server, device="ide", dev_channel="0:0", drive__media="cdrom", drive__name="cd"
    )
    NicFactory(server=server, boot_order=2)
    NicFactory(server=server, conf="static", ip="94.26.101.182", model="e1000")
    return server


@pytest.fixture
def disks(full_server: Server) -> list[Drive]:
    """The large and the small disk of the full server."""
    disks = Drive.objects.filter(mounts__server=full_server, media="disk")
    return list(disks.order_by("name"))


@pytest.fixture
def cd(full_server: Server) -> Drive:
    return Drive.objects.get(media="cdrom")


@pytest.fixture
def disk(owner: User) -> Drive:
    """A disk that no server has."""
    return DriveFactory(owner=owner)
