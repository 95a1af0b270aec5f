"""Copies that are written past the page cache, in a folder on a disk of its own kind."""

import errno
import fcntl
import io
import os
import subprocess
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from drives.storage import copy
from drives.storage.backend import CopyMethod
from drives.storage.errors import NoSpace
from drives.storage.file import FileBackend
from tests.mounts import Mount

from .conftest import MIB


class Stopped(Exception):
    pass


def ignore(done: int, cursor: int, method: CopyMethod) -> None:
    pass


def same(backend: FileBackend, one: UUID, other: UUID) -> bool:
    with backend.open(one) as first, backend.open(other) as second:
        return first.read() == second.read()


@pytest.fixture(autouse=True)
def small_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have images written directly that are too small for it to be worth while."""
    monkeypatch.setattr(copy, "LEAST_DIRECT", MIB)


@pytest.fixture
def disk(tmp_path: Path, mount: Mount) -> Path:
    """A small ext4, whatever the tests' own folder lies on."""
    image = tmp_path / "ext4.img"
    image.touch()
    os.truncate(image, 48 * MIB)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
    return mount("-o", "loop", str(image))


@pytest.fixture
def direct(disk: Path) -> FileBackend:
    return FileBackend(disk / "images")


@pytest.fixture
def original(direct: FileBackend) -> UUID:
    """An image of 32 MiB with random data at 2–11 MiB and 20–21 MiB."""
    image, data = uuid4(), bytearray(32 * MIB)
    data[2 * MIB : 11 * MIB] = os.urandom(9 * MIB)
    data[20 * MIB : 21 * MIB] = os.urandom(MIB)
    direct.write(image, io.BytesIO(data), len(data), len(data))
    return image


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many direct writes a file system takes before it refuses them."""
    real, left = os.pwrite, [0]

    def write(fd: int, data: bytes, offset: int) -> int:
        if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_DIRECT:
            if not left[0]:
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
            left[0] -= 1
        return real(fd, data, offset)

    monkeypatch.setattr(os, "pwrite", write)
    return left


def test_copy_has_every_byte_and_keeps_holes(direct: FileBackend, original: UUID) -> None:
    image, last = uuid4(), []
    method = direct.clone(image, direct, original, 32 * MIB, report=lambda *told: last.append(told))
    assert (method, last[-1]) == (CopyMethod.DIRECT, (10 * MIB, 32 * MIB, CopyMethod.DIRECT))
    assert same(direct, image, original)
    assert abs(direct.allocated(image) - direct.allocated(original)) < MIB // 8


def test_copy_does_not_stay_in_memory(direct: FileBackend, original: UUID) -> None:
    image = uuid4()
    direct.clone(image, direct, original, 32 * MIB, report=ignore)
    told = subprocess.run(
        ["fincore", "--bytes", "--noheadings", "--output", "RES", direct.folder._final(image)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(told.stdout) < MIB


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_copy_goes_on_otherwise_where_direct_writes_are_refused(
    direct: FileBackend, original: UUID, refused: list[int], taken: int
) -> None:
    image, last = uuid4(), []
    refused[0] = taken
    direct.clone(image, direct, original, 32 * MIB, report=lambda done, *_: last.append(done))
    assert last[-1] == 10 * MIB
    assert same(direct, image, original)


def test_copy_is_no_direct_one_in_memory(mount: Mount, backend: FileBackend, source: UUID) -> None:
    target = FileBackend(mount("-t", "tmpfs", "-o", "size=32m", "none"))
    method = target.clone(uuid4(), backend, source, 16 * MIB, report=ignore)
    assert method is not CopyMethod.DIRECT


def test_small_copy_is_no_direct_one(
    direct: FileBackend, original: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy, "LEAST_DIRECT", 10 * MIB + 1)
    method = direct.clone(uuid4(), direct, original, 32 * MIB, report=ignore)
    assert method is CopyMethod.COPY_FILE_RANGE


def test_copy_of_odd_length_has_every_byte(direct: FileBackend) -> None:
    source, image, data = uuid4(), uuid4(), os.urandom(5 * MIB + 123)
    direct.write(source, io.BytesIO(data), len(data), len(data))
    direct.clone(image, direct, source, 8 * MIB, report=ignore)
    with direct.open(image) as file:
        assert file.read() == data + bytes(8 * MIB - len(data))


def test_copy_goes_on_at_its_cursor(
    disk: Path, original: UUID, direct: FileBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, image, cursors = FileBackend(disk / "images", bandwidth=20 * MIB), uuid4(), []
    monkeypatch.setattr(copy, "SYNC_INTERVAL", 2 * MIB)
    slow.report_interval = 0.02

    def stop(done: int, cursor: int, method: CopyMethod) -> None:
        cursors.append(cursor)
        if done >= 6 * MIB:
            raise Stopped

    with pytest.raises(Stopped):
        slow.clone(image, slow, original, 32 * MIB, report=stop)
    assert 2 * MIB < cursors[-1] <= slow.partial_size(image)
    direct.clone(image, direct, original, 32 * MIB, cursor=cursors[-1], report=ignore)
    assert same(direct, image, original)


def test_copy_to_a_full_disk_leaves_nothing(direct: FileBackend, original: UUID) -> None:
    filler = uuid4()
    free = direct.free() - 4 * MIB
    direct.write(filler, io.BytesIO(os.urandom(free)), free, free)
    with pytest.raises(NoSpace):
        direct.clone(uuid4(), direct, original, 32 * MIB, report=ignore)
    assert {path.stem for path in direct.folder.root.glob("*-*")} == {str(original), str(filler)}
