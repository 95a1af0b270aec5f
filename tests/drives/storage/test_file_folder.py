"""What lies in a folder, and who may go on with a partial."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from drives.storage.backend import StoredImage
from drives.storage.errors import StorageError
from drives.storage.file import FileBackend

from .conftest import MIB

# Newer Pythons warn of forks beside threads; pytest-xdist has some.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

SOME_UUID = UUID(int=1)
Hold = Callable[[str, UUID], BaseProcess]


def hold_partial(backend: FileBackend, how: str, image: UUID, ready: Any) -> None:
    """Keep a partial open until this process is killed."""
    held = getattr(backend.folder, how)(image)
    assert held is not None
    ready.set()
    time.sleep(60)


@pytest.fixture
def hold(backend: FileBackend) -> Iterator[Hold]:
    """Let another process have a partial."""
    forked, started = multiprocessing.get_context("fork"), []

    def start(how: str, image: UUID) -> BaseProcess:
        ready = forked.Event()
        arguments = (backend, how, image, ready)
        process = forked.Process(target=hold_partial, args=arguments, daemon=True)
        process.start()
        started.append(process)
        assert ready.wait(10)
        return process

    yield start
    for process in started:
        process.kill()
        process.join()


@pytest.fixture
def partial(backend: FileBackend) -> UUID:
    """The partial that somebody left, of 1 MiB."""
    image = uuid4()
    with backend.folder.new_partial(image) as file:
        file.write(b"x" * MIB)
    return image


def inode(backend: FileBackend, image: UUID) -> int:
    return backend.folder._partial(image).stat().st_ino


# --- partials -------------------------------------------------------------------------------------


def test_partial_that_somebody_left_is_opened(backend: FileBackend, partial: UUID) -> None:
    file = backend.folder.open_partial(partial)
    assert file is not None
    with file:
        assert file.read(MIB + 1) == b"x" * MIB


@pytest.mark.parametrize("how", ["open_partial", "new_partial"])
def test_partial_that_another_process_has_is_not_opened(
    backend: FileBackend, partial: UUID, hold: Hold, how: str
) -> None:
    hold(how, partial)
    assert backend.folder.open_partial(partial) is None


def test_partial_of_a_process_that_was_killed_is_opened(
    backend: FileBackend, partial: UUID, hold: Hold
) -> None:
    holder = hold("open_partial", partial)
    assert holder.pid
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    file = backend.folder.open_partial(partial)
    assert file is not None
    file.close()


def test_partial_is_free_once_it_is_closed(backend: FileBackend, partial: UUID) -> None:
    for _ in range(2):
        file = backend.folder.open_partial(partial)
        assert file is not None
        file.close()


def test_refusal_leaves_nothing_open(backend: FileBackend, partial: UUID, hold: Hold) -> None:
    hold("open_partial", partial)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        assert backend.folder.open_partial(partial) is None
    assert len(os.listdir("/proc/self/fd")) == before


def test_new_partial_is_another_file_than_that_of_the_other(
    backend: FileBackend, partial: UUID, hold: Hold
) -> None:
    hold("open_partial", partial)
    old = inode(backend, partial)
    backend.folder.new_partial(partial).close()
    assert inode(backend, partial) != old
    assert backend.partial_size(partial) == 0


def test_clone_begins_anew_while_another_process_has_the_partial(
    backend: FileBackend, source: UUID, hold: Hold
) -> None:
    image, reports = uuid4(), []
    with backend.folder.new_partial(image) as file:
        file.write(b"wrong" * MIB)
    hold("open_partial", image)
    backend.clone(
        image, backend, source, 16 * MIB, cursor=4 * MIB, report=lambda *told: reports.append(told)
    )
    assert reports[0][:2] == (0, 0)
    with backend.open(image) as copy, backend.open(source) as original:
        assert copy.read() == original.read()


def test_partial_that_is_not_there_cannot_be_opened(backend: FileBackend) -> None:
    backend.folder.ready()
    with pytest.raises(FileNotFoundError):
        backend.folder.open_partial(uuid4())


def test_partial_is_as_long_as_it_was_written(backend: FileBackend, partial: UUID) -> None:
    assert backend.partial_size(partial) == MIB


def test_partial_that_is_not_there_has_no_length(backend: FileBackend, source: UUID) -> None:
    assert backend.partial_size(uuid4()) == 0
    assert backend.partial_size(source) == 0


def test_length_of_a_partial_counts_its_holes(backend: FileBackend, partial: UUID) -> None:
    os.truncate(backend.folder._partial(partial), 5 * MIB)
    assert backend.partial_size(partial) == 5 * MIB


# --- listing --------------------------------------------------------------------------------------


def listed(backend: FileBackend) -> dict[UUID, StoredImage]:
    return {stored.uuid: stored for stored in backend.listing()}


def test_empty_folder_has_nothing(backend: FileBackend) -> None:
    assert list(backend.listing()) == []


def test_images_and_partials_are_listed(backend: FileBackend, source: UUID, partial: UUID) -> None:
    found = listed(backend)
    assert set(found) == {source, partial}
    image, unfinished = found[source], found[partial]
    assert (image.is_partial, image.used) == (False, backend.allocated(source))
    assert (unfinished.is_partial, unfinished.used) == (True, MIB)


def test_holes_take_up_nothing(backend: FileBackend) -> None:
    image = uuid4()
    backend.create(image, 64 * MIB)
    assert listed(backend)[image].used == 0


def test_image_with_a_partial_is_listed_twice(backend: FileBackend, source: UUID) -> None:
    backend.folder.new_partial(source).close()
    found = [(stored.uuid, stored.is_partial) for stored in backend.listing()]
    assert sorted(found) == [(source, False), (source, True)]


def test_listing_tells_when_each_changed(backend: FileBackend, source: UUID) -> None:
    before = time.time() - 60
    assert before < listed(backend)[source].changed_at < time.time() + 1


def test_old_time_that_was_set_by_hand_does_not_make_an_image_old(
    backend: FileBackend, source: UUID
) -> None:
    os.utime(backend.folder._final(source), (0, 0))
    assert listed(backend)[source].changed_at > time.time() - 60


@pytest.mark.parametrize(
    "name",
    [
        ".bandwidth",
        "notes.txt",
        "not-a-uuid.raw",
        f"{SOME_UUID}",
        f"{SOME_UUID}.qcow2",
        f"{SOME_UUID}.raw.bak",
        f"{SOME_UUID}.RAW",
        ".raw",
    ],
)
def test_files_of_others_are_not_listed(backend: FileBackend, name: str) -> None:
    (backend.folder.ready() / name).write_bytes(b"x")
    assert list(backend.listing()) == []


@pytest.mark.parametrize("kind", ["raw", "partial"])
def test_folder_with_the_name_of_an_image_is_none(backend: FileBackend, kind: str) -> None:
    (backend.folder.ready() / f"{uuid4()}.{kind}").mkdir()
    assert list(backend.listing()) == []


def test_uuid_in_another_spelling_is_not_ours(backend: FileBackend) -> None:
    """Whoever goes by the listing would look for the usual name, and not find the file."""
    (backend.folder.ready() / f"{uuid4().hex}.raw").write_bytes(b"x")
    assert list(backend.listing()) == []


def test_image_that_vanishes_while_it_is_listed_is_left_out(
    backend: FileBackend, source: UUID, partial: UUID
) -> None:
    listing, found = backend.listing(), []
    found.append(next(listing).uuid)
    for image in {source, partial} - set(found):
        backend.delete(image)
    found += [stored.uuid for stored in listing]
    assert len(found) == 1


def test_folder_that_vanished_is_told(backend: FileBackend, tmp_path: Path) -> None:
    backend.folder.ready().rmdir()
    with pytest.raises(StorageError, match="missing"):
        list(backend.listing())
