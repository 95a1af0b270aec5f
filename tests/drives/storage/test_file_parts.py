"""Images that come in parts: in any order, by several at once, published when nobody writes."""

import errno
import io
import os
import random
from uuid import UUID, uuid4

import pytest

from drives.storage.errors import ImageMissing, NoSpace, StorageError, UploadIncomplete
from drives.storage.file import FileBackend

from .conftest import MIB
from .test_file_upload import Trickle

KIB = 1024


@pytest.fixture
def begun(backend: FileBackend) -> UUID:
    image = uuid4()
    backend.begin(image)
    return image


def put(backend: FileBackend, image: UUID, data: bytes, offset: int) -> None:
    backend.write_part(image, io.BytesIO(data), offset, len(data))


def content(backend: FileBackend, image: UUID) -> bytes:
    with backend.open(image) as file:
        return file.read()


def test_parts_in_any_order_make_the_image(backend: FileBackend, begun: UUID) -> None:
    data = os.urandom(3 * MIB + 17)
    offsets = list(range(0, len(data), 100 * KIB))
    random.Random(1).shuffle(offsets)
    for offset in offsets:
        put(backend, begun, data[offset : offset + 100 * KIB], offset)
    assert not backend.exists(begun)
    assert backend.finish(begun, 4 * MIB)
    assert content(backend, begun) == data + bytes(4 * MIB - len(data))


def test_part_takes_no_more_than_its_length(backend: FileBackend, begun: UUID) -> None:
    stream = Trickle(b"part" + b"more")
    backend.write_part(begun, stream, 0, 4)
    assert stream.read(99) == b"more"


def test_zeros_stay_holes(backend: FileBackend, begun: UUID) -> None:
    put(backend, begun, bytes(8 * MIB), 0)
    put(backend, begun, os.urandom(MIB), 8 * MIB)
    backend.finish(begun, 16 * MIB)
    assert backend.allocated(begun) == MIB


def test_zeros_replace_what_a_broken_part_left(backend: FileBackend, begun: UUID) -> None:
    with pytest.raises(UploadIncomplete):
        backend.write_part(begun, io.BytesIO(b"x" * 50 * KIB), 0, 100 * KIB)
    put(backend, begun, bytes(100 * KIB), 0)
    backend.finish(begun, 100 * KIB)
    assert content(backend, begun) == bytes(100 * KIB)


def test_broken_part_leaves_the_others(backend: FileBackend, begun: UUID) -> None:
    put(backend, begun, b"first", 0)
    with pytest.raises(ConnectionResetError):
        backend.write_part(begun, Trickle(b"x", ConnectionResetError("gone")), 5, 10)
    put(backend, begun, b"second", 5)
    backend.finish(begun, 11)
    assert content(backend, begun) == b"firstsecond"


def test_full_disk_is_told_and_leaves_the_others(
    backend: FileBackend, begun: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(backend, begun, b"first", 0)

    def full(*args: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(NoSpace) as caught:
            put(backend, begun, b"x" * MIB, 5)
    assert caught.value.needed == MIB
    assert backend.partial_size(begun) == 5


def test_image_waits_for_those_who_write(backend: FileBackend, begun: UUID) -> None:
    put(backend, begun, b"data", 0)
    with backend.folder.shared_partial(begun), backend.folder.shared_partial(begun):
        assert not backend.finish(begun, 4)
        assert not backend.exists(begun)
    assert backend.finish(begun, 4)


def test_finishing_twice_does_no_harm(backend: FileBackend, begun: UUID) -> None:
    put(backend, begun, b"data", 0)
    assert backend.finish(begun, 4)
    assert backend.finish(begun, 4)
    with pytest.raises(StorageError):
        backend.finish(begun, 5)


def test_published_image_takes_no_part(backend: FileBackend, begun: UUID) -> None:
    put(backend, begun, b"data", 0)
    backend.finish(begun, 4)
    with pytest.raises(ImageMissing):
        put(backend, begun, b"evil", 0)
    assert content(backend, begun) == b"data"


def test_partial_that_is_published_meanwhile_is_not_written_to(
    backend: FileBackend, begun: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend.folder, "_is_partial", lambda image, file: False)
    with pytest.raises(ImageMissing):
        put(backend, begun, b"late", 0)


@pytest.mark.parametrize("do", ["write", "finish"])
def test_deleted_image_takes_no_part(backend: FileBackend, begun: UUID, do: str) -> None:
    backend.delete(begun)
    with pytest.raises(ImageMissing):
        put(backend, begun, b"x", 0) if do == "write" else backend.finish(begun, 1)
    assert list(backend.folder.root.iterdir()) == []
