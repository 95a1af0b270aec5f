import errno
import os
import time
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from drives.storage.backend import CopyMethod
from drives.storage.errors import ImageMissing, NoSpace, StorageError
from drives.storage.file import FileBackend
from tests.mounts import Mount

from .conftest import MIB


class Reports(list[tuple[int, int, CopyMethod]]):
    def __call__(self, done: int, cursor: int, method: CopyMethod) -> None:
        self.append((done, cursor, method))


def content(backend: FileBackend, image: UUID) -> bytes:
    with backend.open(image) as file:
        return file.read()


def refuse_kernel_copy(monkeypatch: pytest.MonkeyPatch, number: int = errno.EXDEV) -> None:
    def refuse(*args: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "copy_file_range", refuse)


def test_clone_copies_every_byte_and_keeps_holes(backend: FileBackend, source: UUID) -> None:
    image, reports = uuid4(), Reports()
    method = backend.clone(image, backend, source, 16 * MIB, report=reports)
    assert method is CopyMethod.COPY_FILE_RANGE
    assert content(backend, image) == content(backend, source)
    assert backend.allocated(image) == backend.allocated(source) == 3 * MIB
    assert reports[-1] == (3 * MIB, 16 * MIB, method)


@pytest.mark.parametrize(
    "number", [errno.EXDEV, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EPERM, errno.EIO]
)
def test_clone_falls_back_to_reads_and_writes(
    backend: FileBackend, source: UUID, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    image, reports = uuid4(), Reports()
    refuse_kernel_copy(monkeypatch, number)
    backend.clone(image, backend, source, 16 * MIB, report=reports)
    assert content(backend, image) == content(backend, source)
    assert backend.allocated(image) == 3 * MIB
    assert reports[-1] == (3 * MIB, 16 * MIB, CopyMethod.READ_WRITE)


def test_clone_falls_back_when_the_kernel_copies_nothing(
    backend: FileBackend, source: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = uuid4()
    monkeypatch.setattr(os, "copy_file_range", lambda *args: 0)
    method = backend.clone(image, backend, source, 16 * MIB, report=Reports())
    assert method is CopyMethod.READ_WRITE
    assert content(backend, image) == content(backend, source)


def test_clone_keeps_holes_where_the_file_system_cannot_name_them(
    backend: FileBackend, source: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> int:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    image = uuid4()
    refuse_kernel_copy(monkeypatch)
    monkeypatch.setattr(os, "lseek", refuse)
    backend.clone(image, backend, source, 16 * MIB, report=Reports())
    assert content(backend, image) == content(backend, source)
    assert backend.allocated(image) == 3 * MIB


def test_clone_may_be_larger_than_its_source(backend: FileBackend, source: UUID) -> None:
    image = uuid4()
    backend.clone(image, backend, source, 32 * MIB, report=Reports())
    assert content(backend, image) == content(backend, source) + bytes(16 * MIB)


def test_clone_is_never_smaller_than_its_source(backend: FileBackend, source: UUID) -> None:
    with pytest.raises(StorageError, match="does not fit"):
        backend.clone(uuid4(), backend, source, 15 * MIB, report=Reports())


def test_clone_of_a_missing_image_leaves_nothing(backend: FileBackend) -> None:
    with pytest.raises(ImageMissing):
        backend.clone(uuid4(), backend, uuid4(), MIB, report=Reports())
    assert list(backend.folder.root.iterdir()) == []


def test_clone_takes_an_image_that_is_already_finished(backend: FileBackend, source: UUID) -> None:
    image, reports = uuid4(), Reports()
    backend.create(image, 16 * MIB)
    method = backend.clone(image, backend, source, 16 * MIB, cursor=MIB, report=reports)
    assert reports == [(3 * MIB, 16 * MIB, method)]
    assert backend.allocated(image) == 0


def test_clone_refuses_a_finished_image_of_another_size(backend: FileBackend, source: UUID) -> None:
    image = uuid4()
    backend.create(image, MIB)
    with pytest.raises(StorageError, match="exists with"):
        backend.clone(image, backend, source, 16 * MIB, report=Reports())


def test_clone_of_a_source_that_shrinks_leaves_nothing(
    backend: FileBackend, source: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = uuid4()
    refuse_kernel_copy(monkeypatch)
    monkeypatch.setattr(os, "preadv", lambda *args: 0)
    with pytest.raises(StorageError, match="source image ends"):
        backend.clone(image, backend, source, 16 * MIB, report=Reports())
    assert [path.stem for path in backend.folder.root.iterdir()] == [str(source)]


def test_clone_with_a_wrong_final_size_leaves_no_image(
    backend: FileBackend, source: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "ftruncate", lambda *args: None)
    with pytest.raises(StorageError, match="instead of"):
        backend.clone(uuid4(), backend, source, 32 * MIB, report=Reports())
    assert [path.stem for path in backend.folder.root.iterdir()] == [str(source)]


def test_clone_to_a_full_disk_leaves_nothing(
    backend: FileBackend, source: UUID, mount: Mount
) -> None:
    small = FileBackend(mount("-t", "tmpfs", "-o", "size=2m", "none"))
    with pytest.raises(NoSpace) as caught:
        small.clone(uuid4(), backend, source, 16 * MIB, report=Reports())
    assert (caught.value.needed, caught.value.free) == (3 * MIB, 2 * MIB)
    assert list(small.folder.root.iterdir()) == []


def test_reports_go_on_while_a_read_hangs(
    backend: FileBackend, source: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(*args: object) -> int:
        time.sleep(2)
        raise OSError(errno.EXDEV, "fake")

    reports = Reports()
    monkeypatch.setattr(os, "copy_file_range", hang)
    backend.clone(uuid4(), backend, source, 16 * MIB, report=reports)
    assert sum(done == 0 for done, _, _ in reports) >= 10


def test_clone_honours_the_bandwidth_of_both_hosts(tmp_path: Path, source: UUID) -> None:
    origin = FileBackend(tmp_path / "images", bandwidth=6 * MIB)
    target = FileBackend(tmp_path / "other", bandwidth=100 * MIB)
    started = time.monotonic()
    target.clone(uuid4(), origin, source, 16 * MIB, report=Reports())
    assert 0.3 < time.monotonic() - started < 10
    assert (tmp_path / "other" / ".bandwidth").exists()
