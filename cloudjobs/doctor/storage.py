"""Storage: is each folder there, can it what the copying needs, and is it the database's own?"""

import errno
import fcntl
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Count

from cloudjobs.doctor.examination import Check, Finding, ok, problem, warning
from cloudjobs.pages.measures import size_text
from drives.checks import check_storage_hosts
from drives.models import Drive, Snapshot
from drives.storage import StorageError, StorageHost, get_host
from drives.storage.copy import FICLONE

LITTLE = 0.05  # of the capacity
SAMPLED = 100  # drives of a host, the newest
MIB = 1024**2


def storage_checks() -> list[Check]:
    """Return the checks of each host; one that hangs keeps no other from being looked at."""
    hosts: dict[str, Any] = settings.STORAGE_HOSTS
    if any(one.id == "drives.E001" for one in check_storage_hosts()):
        return []  # which the check of the settings tells
    checks = [Check("storage", check_names)]
    for name, host in hosts.items():
        checks.append(Check(f"storage {name}", partial(check_room, name), needs_database=False))
        root = host.get("options", {}).get("root")
        if root:
            look = partial(check_folder, Path(root))
            checks.append(Check(f"storage {name}", look, needs_database=False))
        checks.append(Check(f"storage {name}", partial(check_agreement, name)))
    return checks


def check_names() -> Iterator[Finding]:
    """Drives and snapshots find their hosts by name."""
    known = list(settings.STORAGE_HOSTS)
    lost: Counter[str] = Counter()
    for model in (Drive, Snapshot):
        elsewhere = model.objects.exclude(storage_host__in=known).order_by()
        counts = elsewhere.values_list("storage_host").annotate(count=Count("pk"))
        lost.update(dict(counts))
    for name, count in sorted(lost.items()):
        yield problem(
            f"Drives and snapshots on {name}: {count}. The settings have no such host.",
            "Give it back to the storage hosts of the settings, under the same name.",
        )
    if not lost:
        yield ok("The settings have the hosts of all drives and snapshots.")


def check_room(name: str) -> Iterator[Finding]:
    """It can be written to, and is not full."""
    host = get_host(name)
    try:
        host.backend.check()
        told_limit(host)
        free, capacity = host.backend.free(), host.backend.capacity()
    except (StorageError, OSError) as error:
        yield problem(
            str(error), "Is the disk mounted, and the folder writable for the service's user?"
        )
        return
    room = f"{size_text(free)} of {size_text(capacity)} are free."
    if free < LITTLE * capacity:
        advice = 'docs/operating.md, "When a disk is full", tells how to make room.'
        yield warning(f"It is nearly full: {room}", advice)
    else:
        yield ok(room)


def told_limit(host: StorageHost) -> int | None:
    """Return how the host is limited. Raises StorageError if its file does not tell."""
    return host.backend.limiter.rate if host.backend.limiter else None


def check_folder(root: Path) -> Iterator[Finding]:
    """The file system has holes and locks, which copies need; shared blocks are welcome."""
    if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        return  # which its room tells
    with tempfile.TemporaryFile(dir=root) as one, tempfile.TemporaryFile(dir=root) as other:
        os.ftruncate(one.fileno(), MIB)
        if os.fstat(one.fileno()).st_blocks * 512 >= MIB:
            yield warning(
                "The file system keeps no holes: an image takes up its whole size.",
                "ext4, XFS, Btrfs, ZFS, NFS 4.2 and CephFS keep them.",
            )
        yield lock_of(one.fileno())
        yield sharing_of(one.fileno(), other.fileno())


def lock_of(file: int) -> Finding:
    """Return whether a file can be locked; whether others heed it, one machine cannot tell."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return problem(
            f"Files cannot be locked: {error.strerror}.",
            "Mount NFS as version 4 or with lockd: two workers could write to one image.",
        )
    return ok("Files can be locked.")


def sharing_of(source: int, target: int) -> Finding:
    try:
        fcntl.ioctl(target, FICLONE, source)
    except OSError as error:
        kind = errno.errorcode.get(error.errno or 0, "")
        return ok(f"Clones copy their bytes, as the file system does not share blocks ({kind}).")
    return ok("Clones share blocks with their source.")


def check_agreement(name: str) -> Iterator[Finding]:
    """The newest drives of the database have their images here. It is a sample, and quick."""
    host = get_host(name)
    try:
        host.backend.check()
    except StorageError:
        return  # which its room tells
    settled = Drive.objects.filter(storage_host=name, status__in=Drive.SETTLED)
    sample = list(settled.order_by("-created_at").values_list("pk", flat=True)[:SAMPLED])
    missing = [uuid for uuid in sample if not host.backend.exists(uuid)]
    if missing and len(missing) == len(sample):
        yield problem(
            f"None of the newest drives ({len(sample)}) has its image here.",
            "The disk is not mounted, or it is another database: start nothing before you know.",
        )
    elif missing:
        yield problem(
            f"Of the newest drives ({len(sample)}) {len(missing)} have no image: {missing[0]} …",
            "Run `manage.py reconcile_storage`; it tells what `--fix` would do.",
        )
    elif sample:
        yield ok(f"All of the newest drives ({len(sample)}) have their images.")
    else:
        yield empty_or_foreign(host)


def empty_or_foreign(host: StorageHost) -> Finding:
    """Return what it means that no drive of the database is here."""
    image = next((one for one in host.backend.listing() if not one.is_partial), None)
    if image is None or Drive.objects.filter(pk=image.uuid).exists():
        return ok("No drive is here yet.")
    return problem(
        f"Images lie here, {image.uuid} for one, and the database knows none.",
        "Is it the right database? If so, `manage.py reconcile_storage` lists them.",
    )
