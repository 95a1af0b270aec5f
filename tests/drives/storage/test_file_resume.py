import os
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from drives.storage import copy
from drives.storage.backend import CopyMethod
from drives.storage.errors import StorageError
from drives.storage.file import FileBackend

from .conftest import MIB


class Stopped(Exception):
    pass


def ignore(done: int, cursor: int, method: CopyMethod) -> None:
    pass


def stop(done: int, cursor: int, method: CopyMethod) -> None:
    raise Stopped


def same(backend: FileBackend, one: UUID, other: UUID) -> bool:
    with backend.open(one) as first, backend.open(other) as second:
        return first.read() == second.read()


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bytes of every copy_file_range call."""
    counts: list[int] = []
    real = os.copy_file_range

    def count(*args: int) -> int:
        counts.append(real(*args))
        return counts[-1]

    monkeypatch.setattr(os, "copy_file_range", count)
    return counts


@pytest.fixture
def half(backend: FileBackend, source: UUID) -> UUID:
    """A clone whose partial holds the source's first 4 MiB."""
    image = uuid4()
    with backend.open(source) as file, backend.folder.new_partial(image) as partial:
        partial.write(file.read(4 * MIB))
    return image


def test_resume_copies_only_the_rest(
    backend: FileBackend, source: UUID, half: UUID, copied: list[int]
) -> None:
    last: list[int] = []
    backend.clone(
        half, backend, source, 16 * MIB, cursor=4 * MIB, report=lambda done, *_: last.append(done)
    )
    assert sum(copied) == MIB
    assert last[-1] == 3 * MIB
    assert same(backend, half, source)


def test_partial_is_discarded_without_a_cursor(
    backend: FileBackend, source: UUID, copied: list[int]
) -> None:
    image = uuid4()
    with backend.folder.new_partial(image) as partial:
        partial.write(b"old" * MIB)
    backend.clone(image, backend, source, 16 * MIB, report=ignore)
    assert sum(copied) == 3 * MIB
    assert same(backend, image, source)


def test_a_cursor_beyond_the_partial_is_void_and_reported_as_zero(
    backend: FileBackend, source: UUID, half: UUID, copied: list[int]
) -> None:
    cursors: list[int] = []
    backend.clone(
        half, backend, source, 16 * MIB, cursor=5 * MIB, report=lambda _, at, __: cursors.append(at)
    )
    assert cursors[0] == 0
    assert sum(copied) == 3 * MIB
    assert same(backend, half, source)


def test_report_that_raises_stops_the_copy_and_keeps_the_partial(
    tmp_path: Path, source: UUID
) -> None:
    slow = FileBackend(tmp_path / "images", bandwidth=MIB, reflink=False)
    slow.report_interval = 0.3
    image = uuid4()
    with pytest.raises(Stopped):
        slow.clone(image, slow, source, 16 * MIB, report=stop)
    assert slow.folder.partial_size(image) > 2 * MIB
    assert not slow.exists(image)


def test_last_report_that_raises_leaves_no_image(backend: FileBackend, source: UUID) -> None:
    image = uuid4()
    backend.report_interval = 60
    with pytest.raises(Stopped):
        backend.clone(image, backend, source, 16 * MIB, report=stop)
    assert backend.folder.partial_size(image) == 16 * MIB
    assert not backend.exists(image)


def test_cursor_moves_only_after_a_sync(
    backend: FileBackend, source: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    real = os.fdatasync
    monkeypatch.setattr(copy, "SYNC_INTERVAL", MIB)
    monkeypatch.setattr(os, "fdatasync", lambda fd: synced.append(os.fstat(fd).st_size) or real(fd))
    backend.clone(uuid4(), backend, source, 16 * MIB, report=ignore)
    assert synced == [4 * MIB, 10 * MIB]


def test_partial_reaches_its_cursor_over_zeros(
    backend: FileBackend, source: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = uuid4()
    with backend.folder.new_partial(image) as target, backend.open(source) as file:
        copier = copy.Copier(file, target, 16 * MIB, 16 * MIB)
        copier.offset = 3 * MIB
        copier._sync()
        assert os.fstat(target.fileno()).st_size == copier.cursor == 3 * MIB


def test_publish_refuses_the_partial_of_another_worker(backend: FileBackend) -> None:
    image = uuid4()
    with backend.folder.new_partial(image) as mine:
        inode = os.fstat(mine.fileno()).st_ino
        backend.folder.new_partial(image).close()
        with pytest.raises(StorageError, match="Another worker"):
            backend.folder.publish(image, inode, 0)
    assert not backend.exists(image)


def test_publish_accepts_what_another_worker_published(backend: FileBackend, source: UUID) -> None:
    backend.folder.publish(source, 0, 16 * MIB)
    assert backend.size(source) == 16 * MIB
