import errno
import io
import os
from pathlib import Path
from uuid import uuid4

import pytest

from drives.storage.errors import NoSpace, StorageError, UploadIncomplete
from drives.storage.file import FileBackend
from tests.mounts import Mount

from .conftest import MIB


class Trickle(io.BytesIO):
    """A network stream: it gives at most 100 kB at a time and may break off with an error."""

    def __init__(self, data: bytes, error: Exception | None = None) -> None:
        super().__init__(data)
        self.error = error

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(min(size or 0, 100_000))
        if not data and self.error:
            raise self.error
        return data


def content(backend: FileBackend) -> list[Path]:
    return list(backend.folder.root.iterdir())


def test_upload_stores_every_byte_and_grows_to_the_size(backend: FileBackend) -> None:
    image, data = uuid4(), os.urandom(5 * MIB + 123)
    backend.write(image, Trickle(data), len(data), 8 * MIB)
    with backend.open(image) as file:
        assert file.read() == data + bytes(8 * MIB - len(data))


def test_upload_takes_no_more_than_its_length(backend: FileBackend) -> None:
    image, stream = uuid4(), io.BytesIO(b"image" + b"next request")
    backend.write(image, stream, 5, 5)
    assert stream.read() == b"next request"


def test_upload_turns_zero_blocks_into_holes(backend: FileBackend) -> None:
    image, data = uuid4(), bytes(8 * MIB) + os.urandom(MIB) + bytes(3 * MIB)
    backend.write(image, io.BytesIO(data), len(data), len(data))
    assert backend.allocated(image) == MIB


def test_short_upload_leaves_nothing(backend: FileBackend) -> None:
    with pytest.raises(UploadIncomplete) as caught:
        backend.write(uuid4(), Trickle(b"x" * MIB), 2 * MIB, 2 * MIB)
    assert (caught.value.expected, caught.value.received) == (2 * MIB, MIB)
    assert content(backend) == []


def test_broken_upload_leaves_nothing(backend: FileBackend) -> None:
    stream = Trickle(b"x" * MIB, ConnectionResetError("gone"))
    with pytest.raises(ConnectionResetError):
        backend.write(uuid4(), stream, 2 * MIB, 2 * MIB)
    assert content(backend) == []


def test_upload_larger_than_the_drive_is_refused(backend: FileBackend) -> None:
    with pytest.raises(StorageError, match="do not fit"):
        backend.write(uuid4(), io.BytesIO(), 2, 1)


def test_upload_to_a_full_disk_leaves_nothing(mount: Mount) -> None:
    backend = FileBackend(mount("-t", "tmpfs", "-o", "size=2m", "none"))
    with pytest.raises(NoSpace) as caught:
        backend.write(uuid4(), io.BytesIO(b"x" * 3 * MIB), 3 * MIB, 3 * MIB)
    assert (caught.value.needed, caught.value.free) == (3 * MIB, backend.free())
    assert content(backend) == []


def test_upload_over_the_quota_leaves_nothing(
    backend: FileBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> int:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr(os, "pwrite", refuse)
    with pytest.raises(NoSpace):
        backend.write(uuid4(), io.BytesIO(b"x"), 1, 1)
    assert content(backend) == []
