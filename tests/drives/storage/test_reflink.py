import io
import os
import subprocess
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from drives.storage.backend import CopyMethod
from drives.storage.file import FileBackend
from tests.mounts import Mount

from .conftest import MIB


@pytest.fixture
def xfs(tmp_path: Path, mount: Mount) -> Path:
    disk = tmp_path / "xfs.img"
    disk.touch()
    os.truncate(disk, 400 * MIB)
    try:
        subprocess.run(["mkfs.xfs", "-q", disk], check=True)
    except FileNotFoundError:
        pytest.skip("mkfs.xfs is not installed")
    return mount("-o", "loop", str(disk))


def ignore(done: int, cursor: int, method: CopyMethod) -> None:
    pass


def test_reflink_shares_the_bytes_and_grows(xfs: Path) -> None:
    backend, source, image = FileBackend(xfs), uuid4(), uuid4()
    data = os.urandom(20 * MIB)
    backend.write(source, io.BytesIO(data), len(data), len(data))
    before = backend.free()
    method = backend.clone(image, backend, source, 32 * MIB, report=ignore)
    assert method is CopyMethod.REFLINK
    assert before - backend.free() < MIB
    with backend.open(image) as file:
        assert file.read() == data + bytes(12 * MIB)


def test_reflink_can_be_switched_off(xfs: Path) -> None:
    backend, source = FileBackend(xfs, reflink=False), uuid4()
    backend.create(source, MIB)
    method = backend.clone(uuid4(), backend, source, MIB, report=ignore)
    assert method is CopyMethod.COPY_FILE_RANGE


def test_reflink_across_file_systems_becomes_a_copy(
    xfs: Path, backend: FileBackend, source: UUID
) -> None:
    image, target = uuid4(), FileBackend(xfs)
    method = target.clone(image, backend, source, 16 * MIB, report=ignore)
    assert method is CopyMethod.READ_WRITE
    with backend.open(source) as first, target.open(image) as second:
        assert first.read() == second.read()
    assert target.allocated(image) == 3 * MIB
