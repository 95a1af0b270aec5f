"""A copy that is read from the disk again and compared with its source before it counts."""

import os
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import psutil
import pytest

from drives.storage.backend import CopyMethod
from drives.storage.copy import Copier
from drives.storage.errors import CopyDiffers, Unreadable
from drives.storage.file import FileBackend
from drives.storage.sparse import data_of_either
from drives.storage.verify import compare

from .conftest import MIB

LATER = 20 * MIB  # where the copy has grown beyond its source


class Stopped(Exception):
    pass


def ignore(done: int, cursor: int, method: CopyMethod) -> None:
    pass


def nothing_but(backend: FileBackend, source: UUID) -> bool:
    return [path.stem for path in backend.folder.root.glob("*-*")] == [str(source)]


@pytest.fixture
def lose_a_byte(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Have the disk keep another byte than the one that was written there."""

    def spoil(offset: int) -> None:
        real = os.fsync

        def spoiling(fd: int) -> None:
            if os.fstat(fd).st_size > offset:
                old = os.pread(fd, 1, offset)
                os.pwrite(fd, bytes([old[0] ^ 1]), offset)
            real(fd)

        monkeypatch.setattr(os, "fsync", spoiling)

    return spoil


def test_copy_that_is_like_its_source_is_an_image(backend: FileBackend, source: UUID) -> None:
    image, compared = uuid4(), []
    backend.clone(image, backend, source, 32 * MIB, report=ignore, verified=compared.append)
    assert (compared[-1], compared) == (3 * MIB, sorted(compared))
    assert backend.size(image) == 32 * MIB


@pytest.mark.parametrize("offset", [2 * MIB, 3 * MIB + 7, 12 * MIB + 1, LATER])
def test_copy_that_differs_leaves_nothing(
    backend: FileBackend, source: UUID, lose_a_byte: Callable[[int], None], offset: int
) -> None:
    lose_a_byte(offset)
    with pytest.raises(CopyDiffers, match=f"differs from its source at byte {offset}\\."):
        backend.clone(uuid4(), backend, source, 32 * MIB, report=ignore, verified=lambda _: None)
    assert nothing_but(backend, source)


def test_copy_is_not_compared_unless_it_is_asked_for(
    backend: FileBackend, source: UUID, lose_a_byte: Callable[[int], None]
) -> None:
    lose_a_byte(2 * MIB)
    image = uuid4()
    backend.clone(image, backend, source, 16 * MIB, report=ignore)
    assert backend.exists(image)


def test_both_are_read_from_the_disk(backend: FileBackend, source: UUID) -> None:
    process, image = psutil.Process(), uuid4()
    backend.clone(image, backend, source, 16 * MIB, report=ignore)  # both are in memory now
    with backend.open(source) as one, backend.open(image) as other:
        for file in (one, other):
            os.fsync(file.fileno())
            file.read()
    before = process.io_counters().read_bytes
    backend.clone(uuid4(), backend, source, 16 * MIB, report=ignore, verified=lambda _: None)
    assert process.io_counters().read_bytes - before >= 6 * MIB


def test_disk_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Linux has a file that answers as a bad disk does: the memory where a process has none."""
    broken = Path("/proc/self/mem")
    with broken.open("rb") as disk, pytest.raises(Unreadable, match="at byte 0 cannot be read"):
        compare(disk.fileno(), disk.fileno(), 0, 4096)
    source = broken.open("rb", buffering=0)
    target = (tmp_path / "copy").open("w+b", buffering=0)
    with pytest.raises(Unreadable, match="at byte 0 cannot be read: Input/output error"):
        Copier(source, target, MIB, MIB).run(ignore)


def test_verification_that_was_stopped_is_begun_anew(tmp_path: Path, source: UUID) -> None:
    slow = FileBackend(tmp_path / "images", bandwidth=3 * MIB, reflink=False)
    slow.report_interval = 0.05
    image, compared = uuid4(), []

    def stop(done: int, cursor: int, method: CopyMethod) -> None:
        if compared and compared[-1]:
            raise Stopped

    with pytest.raises(Stopped):
        slow.clone(image, slow, source, 16 * MIB, report=stop, verified=compared.append)
    assert compared[-1] < 3 * MIB
    assert (slow.exists(image), slow.partial_size(image)) == (False, 16 * MIB)
    with slow.folder._partial(image).open("r+b") as partial:
        partial.seek(2 * MIB)
        partial.write(b"other")
    with pytest.raises(CopyDiffers):
        slow.clone(
            image, slow, source, 16 * MIB, cursor=16 * MIB, report=ignore, verified=compared.append
        )
    assert nothing_but(slow, source)


def test_data_of_either_is_what_is_in_no_hole_of_both(tmp_path: Path) -> None:
    with (tmp_path / "one").open("w+b") as one, (tmp_path / "other").open("w+b") as other:
        for file, places in ((one, (0, 1, 5)), (other, (1, 2, 8))):
            for place in places:
                os.pwrite(file.fileno(), b"x" * MIB, place * MIB)
        found = list(data_of_either(one.fileno(), other.fileno(), 16 * MIB))
    assert found == [(0, 2 * MIB), (2 * MIB, 3 * MIB), (5 * MIB, 6 * MIB), (8 * MIB, 9 * MIB)]
