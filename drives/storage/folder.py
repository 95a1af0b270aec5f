"""The folder of a file backend: names, descriptors, and the step from partial to image.

`{uuid}.raw` is a finished image, `{uuid}.partial` one in the making. A partial gets its final name
only when every byte is durable, so a half image is never taken for a drive.
"""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISLNK
from typing import BinaryIO, TypeVar
from uuid import UUID

from drives.storage.backend import StoredImage
from drives.storage.errors import ImageMissing, StorageError
from drives.storage.hanging import Questions

Answer = TypeVar("Answer")

SAFE = os.O_NOFOLLOW | os.O_CLOEXEC
LINK = "A symbolic link is no image."
MISSING = "The storage folder is missing."
STAT_BLOCK = 512
"""Bytes in one unit of st_blocks, whatever the file system's block size (stat(2))."""


class ImageFolder:
    """Finds, opens and names the images in the folder `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._made = False
        self._questions = Questions()

    def ready(self) -> Path:
        """Make the folder, once: one that vanishes later (an unmounted disk) must not come back.

        Raises StorageError if it cannot be made.
        """
        if not self._made:
            try:
                self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                reason = f"The storage folder cannot be made: {error.strerror}."
                raise StorageError(reason) from error
            self._made = True
        return self.root

    def check(self) -> None:
        """Raises StorageError if the folder is missing, not writable, or hangs."""
        self._questions.ask(self._require_usable)

    def _require_usable(self) -> None:
        root = self.ready()
        if not root.is_dir():
            raise StorageError(MISSING)
        if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
            raise StorageError("The storage folder is not writable.")

    def file_system(self) -> os.statvfs_result:
        """Raises StorageError if the folder is missing or hangs."""
        return self._answer_of(os.statvfs)

    def device(self) -> str:
        """Name the file system that the folder is on. Raises StorageError as `file_system`."""
        return str(self._answer_of(os.stat).st_dev)

    def _answer_of(self, question: Callable[[Path], Answer]) -> Answer:
        """Ask about the folder. Raises StorageError if it is missing or hangs."""
        try:
            return self._questions.ask(lambda: question(self.ready()))
        except OSError as error:
            raise StorageError(MISSING) from error

    def used(self) -> int:
        """The bytes on disk of everything in the folder. Raises StorageError if it is missing."""
        used = 0
        with _folder_must_exist(), os.scandir(self.ready()) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # renamed or deleted meanwhile
                    used += entry.stat(follow_symlinks=False).st_blocks
        return used * STAT_BLOCK

    def stat(self, image: UUID) -> os.stat_result:
        """Raises ImageMissing, or StorageError if the folder hangs."""
        with _must_exist(image):
            return self._questions.ask(lambda: _stat(self._final(image)))

    def partial_size(self, image: UUID) -> int:
        """The length of the partial, 0 if there is none. Raises StorageError if it hangs."""
        try:
            return self._questions.ask(lambda: _stat(self._partial(image))).st_size
        except FileNotFoundError:
            return 0

    def open_image(self, image: UUID, flags: int) -> BinaryIO:
        """Raises ImageMissing, or StorageError if the folder hangs."""
        with _must_exist(image):
            return self._questions.ask(lambda: _open(self._final(image), flags))

    def open_partial(self, image: UUID) -> BinaryIO | None:
        """The partial that somebody left, or None while that one is still alive.

        A worker that only slept could otherwise write to an image that is long in use. The lock
        goes with the process that has it, whatever it dies of.
        """
        partial = self._open_partial(image)
        if _lock(partial):
            return partial
        partial.close()
        return None

    @contextmanager
    def shared_partial(self, image: UUID) -> Iterator[BinaryIO]:
        """The partial, for one of several who write to it; it is not published meanwhile.

        Raises ImageMissing if there is none, or none any more.
        """
        with _must_exist(image), self._open_partial(image) as partial:
            if not _lock(partial, fcntl.LOCK_SH) or not self._is_partial(image, partial):
                raise ImageMissing(f"There is no unfinished image {image}.")
            yield partial

    @contextmanager
    def whole_partial(self, image: UUID) -> Iterator[BinaryIO | None]:
        """The partial once nobody writes to it, or None. Raises ImageMissing."""
        with _must_exist(image), self._open_partial(image) as partial:
            mine = _lock(partial) and self._is_partial(image, partial)
            yield partial if mine else None

    def _is_partial(self, image: UUID, file: BinaryIO) -> bool:
        """Is the open file still the partial? It may have been published or deleted."""
        with suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(file.fileno()), self._partial(image).lstat())
        return False

    def new_partial(self, image: UUID) -> BinaryIO:
        """An empty partial; always a new file, so that nobody else still writes to it."""
        self.discard_partial(image)
        partial = _open(self._partial(image), os.O_RDWR | os.O_CREAT | os.O_EXCL)
        _lock(partial)
        return partial

    def listing(self) -> Iterator[StoredImage]:
        """Everything in the folder that is an image or was to become one."""
        with _folder_must_exist(), os.scandir(self.ready()) as entries:
            for entry in entries:
                name, _, kind = entry.name.partition(".")
                with suppress(ValueError, FileNotFoundError):  # another's file; gone meanwhile
                    image = UUID(name)
                    ours = str(image) == name and entry.is_file(follow_symlinks=False)
                    if ours and kind in {"raw", "partial"}:
                        stat = entry.stat(follow_symlinks=False)
                        used = stat.st_blocks * STAT_BLOCK
                        yield StoredImage(image, kind == "partial", used, last_change(stat))

    def discard_partial(self, image: UUID, inode: int | None = None) -> None:
        """Remove the partial; with `inode` only if it still is that file, not a successor's."""
        with suppress(FileNotFoundError):
            if inode in {None, self._partial(image).lstat().st_ino}:
                self._partial(image).unlink()

    def is_being_written(self, image: UUID) -> bool:
        """Does somebody have the partial who is still alive?"""
        try:
            partial = self.open_partial(image)
        except FileNotFoundError:
            return False
        if partial is None:
            return True
        partial.close()
        return False

    def delete(self, image: UUID) -> None:
        self._final(image).unlink(missing_ok=True)
        self.discard_partial(image)
        self.sync()

    def publish(self, image: UUID, inode: int, size: int) -> None:
        """Rename a durable partial, if it is the file we wrote and has exactly `size` bytes.

        It is another file when this worker was taken for dead and a second one started anew; it is
        gone when the second one has published the same bytes already. Raises StorageError.
        """
        try:
            stat = self._partial(image).lstat()
        except FileNotFoundError:
            self.require_size(image, size)
            return
        if stat.st_ino != inode:
            raise StorageError("Another worker has taken over this image.")
        if stat.st_size != size:
            self.discard_partial(image)
            raise StorageError(f"The image has {stat.st_size} bytes instead of {size}.")
        self._partial(image).rename(self._final(image))
        self.sync()

    def require_size(self, image: UUID, size: int) -> None:
        """Raises ImageMissing or, if the image has not `size` bytes, StorageError."""
        found = self.stat(image).st_size
        if found != size:
            raise StorageError(f"The image exists with {found} bytes instead of {size}.")

    def sync(self) -> None:
        """Make the names in the folder durable: a file's own fsync does not cover them."""
        fd = os.open(self.ready(), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def _open_partial(self, image: UUID) -> BinaryIO:
        return self._questions.ask(lambda: _open(self._partial(image), os.O_RDWR))

    def _final(self, image: UUID) -> Path:
        return self.ready() / f"{image}.raw"

    def _partial(self, image: UUID) -> Path:
        return self.ready() / f"{image}.partial"


def last_change(stat: os.stat_result) -> float:
    """When the file changed; one time alone can be set back by hand."""
    return max(stat.st_mtime, stat.st_ctime)


@contextmanager
def _folder_must_exist() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(MISSING) from error


@contextmanager
def _must_exist(image: UUID) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ImageMissing(f"There is no image {image}.") from error


def _lock(file: BinaryIO, kind: int = fcntl.LOCK_EX) -> bool:
    """Tell whether nobody else has the file; where the file system knows no locks, nobody has."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _stat(path: Path) -> os.stat_result:
    """Return what is known of a file of ours; a link, to wherever it leads, is none."""
    stat = path.lstat()
    if S_ISLNK(stat.st_mode):
        raise FileNotFoundError(LINK)
    return stat


def _open(path: Path, flags: int) -> BinaryIO:
    """Open a file of ours, and no link."""
    try:
        fd = os.open(path, flags | SAFE, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise FileNotFoundError(LINK) from error
        raise
    return os.fdopen(fd, "rb" if flags == os.O_RDONLY else "r+b", buffering=0)
