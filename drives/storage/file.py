"""Images as sparse raw files in one folder, on any file system that Linux mounts."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from drives.storage.backend import (
    CopyMethod,
    Report,
    StorageBackend,
    StoredImage,
    Verified,
)
from drives.storage.copy import REPORT_INTERVAL, Copier
from drives.storage.errors import ImageMissing, NoSpace, StorageError, UploadIncomplete
from drives.storage.folder import STAT_BLOCK, ImageFolder, last_change
from drives.storage.limiter import MAX_CHUNK, Limiter
from drives.storage.sparse import (
    data_bytes,
    data_extents,
    start_writeout,
    write_dense,
    write_sparse,
)

MOST_BYTES = 2**62
"""More than any storage has, and still a number that databases can add to others."""

FULL = (errno.ENOSPC, errno.EDQUOT)


class FileBackend(StorageBackend):
    """Keeps images in the folder `root`.

    `capacity` (bytes) bounds what the folder may take up, `bandwidth` (bytes/s) what uploads and
    copies may move until operators set something else. `reflink` off makes every clone a real copy,
    `direct` off has clones written through the page cache.
    """

    report_interval = REPORT_INTERVAL
    limiter: Limiter

    def __init__(
        self,
        root: str | Path,
        capacity: int | None = None,
        bandwidth: int | None = None,
        reflink: bool = True,
        direct: bool = True,
    ) -> None:
        if not Path(root).is_absolute() or "\0" in str(root):
            raise ValueError(f"root is an absolute path, not {str(root)!r}.")
        for option, value in (("capacity", capacity), ("bandwidth", bandwidth)):
            if value is not None and (type(value) is not int or not 0 <= value <= MOST_BYTES):
                raise ValueError(f"{option} is a whole number of bytes from 0 on, not {value!r}.")
        for option, switch in (("reflink", reflink), ("direct", direct)):
            if type(switch) is not bool:
                raise ValueError(f"{option} is true or false, not {switch!r}.")
        self.folder = ImageFolder(Path(root))
        self.reflink, self.direct = reflink, direct
        self.limiter = Limiter(Path(root) / ".bandwidth", bandwidth or None)
        self._capacity = capacity

    def create(self, image: UUID, size: int) -> None:
        if self.exists(image):
            self.folder.require_size(image, size)
            return
        with self._all_or_nothing(image, 0), self.folder.new_partial(image) as target:
            self._finish(image, target, size)

    def write(self, image: UUID, stream: BinaryIO, length: int, size: int) -> None:
        if length > size:
            raise StorageError(f"{length} bytes do not fit into a drive of {size} bytes.")
        with self._all_or_nothing(image, length), self.folder.new_partial(image) as target:
            self._receive(stream, target.fileno(), length)
            self._finish(image, target, size)

    def begin(self, image: UUID) -> None:
        self.folder.new_partial(image).close()
        self.folder.sync()

    def write_part(self, image: UUID, stream: BinaryIO, offset: int, length: int) -> None:
        with self._full_told(length), self.folder.shared_partial(image) as target:
            self._receive(stream, target.fileno(), length, offset)
            os.fdatasync(target.fileno())

    def finish(self, image: UUID, size: int) -> bool:
        with suppress(ImageMissing), self.folder.whole_partial(image) as target:
            if target is not None:
                self._finish(image, target, size)
            return target is not None
        self.folder.require_size(image, size)
        return True

    def clone(
        self,
        image: UUID,
        source: StorageBackend,
        source_image: UUID,
        size: int,
        *,
        cursor: int = 0,
        report: Report,
        verified: Verified | None = None,
    ) -> CopyMethod:
        length = source.size(source_image)
        if size < length:
            raise StorageError(f"An image of {length} bytes does not fit into {size} bytes.")
        with source.open(source_image) as original:
            if self.exists(image):
                return self._accept(image, data_bytes(original.fileno(), length), size, report)
            target, cursor = self._partial_at(image, cursor, report)
            inode = os.fstat(target.fileno()).st_ino
            copier = Copier(
                original,
                target,
                length,
                size,
                cursor,
                reflink=self.reflink,
                direct=self.direct,
                limiters=(source.limiter, self.limiter),
            )
            copier.verified = verified
            self._run(copier, image, inode, report, source.allocated(source_image))
        self.folder.publish(image, inode, size)
        return copier.method

    def grow(self, image: UUID, size: int) -> None:
        with self.folder.open_image(image, os.O_RDWR) as file:
            if os.fstat(file.fileno()).st_size < size:
                os.ftruncate(file.fileno(), size)
            os.fsync(file.fileno())

    def delete(self, image: UUID) -> None:
        self.folder.delete(image)

    def discard_partial(self, image: UUID) -> None:
        self.folder.discard_partial(image)

    def is_being_written(self, image: UUID) -> bool:
        return self.folder.is_being_written(image)

    def exists(self, image: UUID) -> bool:
        try:
            self.folder.stat(image)
        except ImageMissing:
            return False
        return True

    def partial_size(self, image: UUID) -> int:
        return self.folder.partial_size(image)

    def listing(self) -> Iterator[StoredImage]:
        return self.folder.listing()

    def size(self, image: UUID) -> int:
        return self.folder.stat(image).st_size

    def allocated(self, image: UUID) -> int:
        return self.folder.stat(image).st_blocks * STAT_BLOCK

    def changed_at(self, image: UUID) -> float:
        return last_change(self.folder.stat(image))

    def open(self, image: UUID) -> BinaryIO:
        return self.folder.open_image(image, os.O_RDONLY)

    def free(self) -> int:
        """What the file system leaves to us and, with a capacity, what that leaves.

        Blocks shared by a reflink count once for each image, as they may part at any time.
        """
        stat = self.folder.file_system()
        available = stat.f_bavail * stat.f_frsize
        if self._capacity is not None:
            available = min(available, self._capacity - self.folder.used())
        return max(available, 0)

    def capacity(self) -> int:
        if self._capacity is not None:
            return self._capacity
        stat = self.folder.file_system()
        return stat.f_blocks * stat.f_frsize

    def volume(self) -> str:
        return self.folder.device()

    def ask(self) -> None:
        """Ask the file system, and not for the images; a server's client may know the folder."""
        self.folder.file_system()

    def check(self) -> None:
        self.folder.check()

    def _receive(self, stream: BinaryIO, fd: int, length: int, offset: int = 0) -> None:
        """Write `length` bytes of the stream at `offset`, without zero blocks where holes are."""
        buffer = bytearray(min(MAX_CHUNK, length))
        is_hole = next(data_extents(fd, offset, offset + length), None) is None
        write = write_sparse if is_hole else write_dense
        received = 0
        while received < length:
            wanted = min(self.limiter.chunk, length - received)
            count = _fill(buffer, stream, wanted)
            self.limiter.take(count)
            write(fd, buffer, count, offset + received)
            start_writeout(fd, offset + received, count)
            received += count
            if count < wanted:
                raise UploadIncomplete(length, received)

    def _finish(self, image: UUID, target: BinaryIO, size: int) -> None:
        """Give a written partial its size, make it durable and publish it."""
        os.ftruncate(target.fileno(), size)
        os.fsync(target.fileno())
        self.folder.publish(image, os.fstat(target.fileno()).st_ino, size)

    def _partial_at(self, image: UUID, cursor: int, report: Report) -> tuple[BinaryIO, int]:
        """The partial and where to go on in it: at the cursor if it reaches so far, else at 0.

        A cursor that is of no use is reported as 0 at once: if the caller kept it and this attempt
        died too, the next one would skip bytes that the new partial does not have.
        """
        if cursor and self.folder.partial_size(image) >= cursor:
            partial = self.folder.open_partial(image)
            if partial:
                return partial, cursor
        if cursor:
            report(0, 0, CopyMethod.COPY_FILE_RANGE)
        return self.folder.new_partial(image), 0

    def _run(self, copier: Copier, image: UUID, inode: int, report: Report, needed: int) -> None:
        """Copy; the partial survives if the caller stops the copy, not if the copy fails."""
        try:
            copier.run(report, self.report_interval)
        except BaseException:
            if copier.error is None:
                raise
            with self._all_or_nothing(image, needed, inode):
                raise

    def _accept(self, image: UUID, done: int, size: int, report: Report) -> CopyMethod:
        """Take the image that an earlier attempt finished but could not announce.

        How it was copied is not known any more; the usual way is reported.
        """
        self.folder.require_size(image, size)
        self.folder.discard_partial(image)
        self.folder.sync()
        report(done, size, CopyMethod.COPY_FILE_RANGE)
        return CopyMethod.COPY_FILE_RANGE

    @contextmanager
    def _all_or_nothing(self, image: UUID, needed: int, inode: int | None = None) -> Iterator[None]:
        """Remove the partial after any error; a full disk becomes NoSpace with `needed` bytes.

        With `inode`, only if the partial still is that file: a successor may have its own.
        """
        with self._full_told(needed):
            try:
                yield
            except BaseException:
                self.folder.discard_partial(image, inode)
                raise

    @contextmanager
    def _full_told(self, needed: int) -> Iterator[None]:
        """Let a full disk be NoSpace with `needed` bytes."""
        try:
            yield
        except OSError as error:
            if error.errno in FULL:
                raise NoSpace(needed, self.free()) from error
            raise


def _fill(buffer: bytearray, stream: BinaryIO, wanted: int) -> int:
    """Read until `wanted` bytes are in the buffer or the stream ends; return how many are."""
    count = 0
    while count < wanted and (data := stream.read(wanted - count)):
        buffer[count : count + len(data)] = data
        count += len(data)
    return count
