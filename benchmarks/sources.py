"""Drives to clone."""

import os
from uuid import uuid4

from accounts.models import User
from drives.actions import DriveSpec, insert_drive
from drives.models import Drive
from drives.storage import get_host

GIB, MIB = 1024**3, 1024**2
HOST = "dssd-1"


def make_source(owner: User, size: int = 512 * MIB, extents: int = 1, extent: int = MIB) -> Drive:
    """Return a drive whose image has its random data in several places, far from each other."""
    drive = insert_drive(
        uuid4(), owner, DriveSpec("bench", size), size, HOST, Drive.Status.UNMOUNTED
    )
    backend = get_host(HOST).backend
    backend.create(drive.pk, size)
    with (backend.folder.root / f"{drive.pk}.raw").open("r+b") as file:
        for number in range(extents):
            file.seek(number * size // extents)
            file.write(os.urandom(extent))
        os.fsync(file.fileno())
    return drive
