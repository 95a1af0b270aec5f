"""`manage.py create_demo`: an account to try the service with, in an empty database only."""

import random
from typing import Any, BinaryIO, cast

from django.core.management.base import BaseCommand

from accounts.models import User
from drives.actions import DriveSpec, upload_drive

EMAIL, PASSWORD = "demo@example.com", "demo"
MIB = 1024**2
DATA_BYTES = 256 * MIB


class RandomStream:
    """Random bytes without an end, the same at each start."""

    def __init__(self) -> None:
        self.random = random.Random(EMAIL)  # noqa: S311  it fills a disk

    def read(self, size: int = MIB) -> bytes:
        return self.random.randbytes(size)


class Command(BaseCommand):
    help = f"Creates {EMAIL} with a drive of {DATA_BYTES // MIB} MiB, if there is no account yet."

    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.exists():
            return
        demo = User.objects.create_user(EMAIL, PASSWORD)
        spec = DriveSpec("demo-disk", DATA_BYTES, storage_type="zadara")
        upload_drive(demo, spec, cast(BinaryIO, RandomStream()), DATA_BYTES, frozenset())
        self.stdout.write(f"created the demo account {EMAIL} with a drive to clone")
