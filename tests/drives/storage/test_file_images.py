import os
import time
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from drives.storage.errors import ImageMissing, StorageError
from drives.storage.file import FileBackend

MIB = 1024 * 1024


def test_create_makes_a_sparse_private_image(backend: FileBackend) -> None:
    image = uuid4()
    backend.create(image, 64 * MIB)
    path = backend.folder.root / f"{image}.raw"
    assert (backend.size(image), backend.allocated(image)) == (64 * MIB, 0)
    assert path.stat().st_mode & 0o777 == 0o600
    assert backend.folder.root.stat().st_mode & 0o777 == 0o700


def test_create_keeps_an_image_of_that_size(backend: FileBackend, source: UUID) -> None:
    before = backend.allocated(source)
    backend.create(source, 16 * MIB)
    assert backend.allocated(source) == before > 0


def test_create_refuses_an_image_of_another_size(backend: FileBackend, source: UUID) -> None:
    with pytest.raises(StorageError, match="exists with"):
        backend.create(source, 17 * MIB)


def test_grow_never_shrinks(backend: FileBackend, source: UUID) -> None:
    backend.grow(source, 20 * MIB)
    backend.grow(source, 20 * MIB)
    backend.grow(source, MIB)
    assert backend.size(source) == 20 * MIB


def test_delete_removes_image_and_partial_and_can_be_repeated(
    backend: FileBackend, source: UUID
) -> None:
    backend.folder.new_partial(source).close()
    backend.delete(source)
    backend.delete(source)
    assert list(backend.folder.root.iterdir()) == []


def test_discard_partial_keeps_the_image(backend: FileBackend, source: UUID) -> None:
    backend.folder.new_partial(source).close()
    backend.discard_partial(source)
    backend.discard_partial(source)
    assert [path.suffix for path in backend.folder.root.iterdir()] == [".raw"]


def test_a_partial_is_no_image(backend: FileBackend) -> None:
    image = uuid4()
    backend.folder.new_partial(image).close()
    assert not backend.exists(image)


def test_open_gives_a_real_file(backend: FileBackend, source: UUID) -> None:
    with backend.open(source) as file:
        assert file.fileno() > 2
        assert len(file.read(10)) == 10


@pytest.mark.parametrize("method", ["open", "size", "allocated", "changed_at"])
def test_a_missing_image_is_named(backend: FileBackend, method: str) -> None:
    image = uuid4()
    with pytest.raises(ImageMissing, match=str(image)):
        getattr(backend, method)(image)


def test_free_space_follows_the_capacity(tmp_path: Path, source: UUID) -> None:
    limited = FileBackend(tmp_path / "images", capacity=10 * MIB)
    assert limited.capacity() == 10 * MIB
    assert limited.free() == 10 * MIB - limited.allocated(source)


def test_free_space_is_never_negative(tmp_path: Path, source: UUID) -> None:
    assert FileBackend(tmp_path / "images", capacity=1).free() == 0


def test_capacity_defaults_to_the_file_system(backend: FileBackend) -> None:
    assert backend.capacity() > backend.free() > 0


def test_check_makes_the_folder(backend: FileBackend) -> None:
    backend.check()
    assert backend.folder.root.is_dir()


def test_check_refuses_a_folder_that_vanished(backend: FileBackend) -> None:
    backend.check()
    backend.folder.root.rmdir()
    with pytest.raises(StorageError, match="missing"):
        backend.check()


def test_check_refuses_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be made"):
        FileBackend(tmp_path / "file" / "images").check()


def test_image_tells_when_it_changed(backend: FileBackend, source: UUID) -> None:
    before = backend.changed_at(source)
    os.utime(backend.folder._final(source), (0, 0))  # a time that is set by hand hides nothing
    assert before <= backend.changed_at(source) < time.time() + 1
    backend.grow(source, 20 * MIB)
    assert backend.changed_at(source) > before


def test_image_that_is_read_does_not_change(backend: FileBackend, source: UUID) -> None:
    before = backend.changed_at(source)
    backend.clone(uuid4(), backend, source, 16 * MIB, report=lambda *told: None)
    assert backend.changed_at(source) == before
