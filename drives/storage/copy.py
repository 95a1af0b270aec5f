"""The copy engine: moves the bytes of an image from one open file to another.

All input and output happens in a thread of its own; the caller's thread only waits and reports, so
a disk that hangs for minutes stops the copy but never the reports.
"""

import errno
import fcntl
import os
import threading
from collections.abc import Iterable, Iterator
from itertools import cycle
from mmap import mmap
from typing import BinaryIO

from drives.storage.backend import CopyMethod, Report, Verified
from drives.storage.direct import one_ahead, opened_directly
from drives.storage.errors import StorageError, Unreadable
from drives.storage.limiter import MAX_CHUNK, Limiter
from drives.storage.sparse import (
    data_bytes,
    data_extents,
    data_of_either,
    start_writeout,
    write_all,
    write_sparse,
)
from drives.storage.verify import compare

REPORT_INTERVAL = 1.0
"""Seconds between two reports."""

SYNC_INTERVAL = 64 * 1024 * 1024
"""Bytes written between two waits for the disk; how far the cursor lags behind at most."""

LEAST_DIRECT = 256 * 1024 * 1024
"""Bytes of data from which on a copy is written directly; a smaller one is no faster for it."""

FICLONE = 0x40049409
"""The ioctl of linux/fs.h that makes a file share another one's blocks."""

NOT_HERE = {
    errno.EXDEV,
    errno.EOPNOTSUPP,
    errno.ENOSYS,
    errno.EINVAL,
    errno.EPERM,
    errno.ETXTBSY,
}
"""What copy_file_range(2) answers where it cannot work but plain reads and writes can."""


class Copier:
    """Copies `length` bytes of `source` into `target`, which ends up `size` bytes long.

    Bytes below `cursor` are taken to be there already. The target is never made shorter and gets
    its final size only at the end. So a partial that reaches up to a cursor has been written up to
    there, and a second worker on the same file (one that was taken for dead) does no harm.
    """

    def __init__(
        self,
        source: BinaryIO,
        target: BinaryIO,
        length: int,
        size: int,
        cursor: int = 0,
        *,
        reflink: bool = True,
        direct: bool = True,
        limiters: Iterable[Limiter | None] = (),
    ) -> None:
        self.source, self.target = source, target
        self.length, self.size = length, size
        self.reflink, self.direct = reflink and cursor == 0, direct
        self.limiters = list({each.path: each for each in limiters if each}.values())
        self.bytes_done, self.cursor, self.offset = 0, cursor, cursor
        self.method = CopyMethod.REFLINK if self.reflink else CopyMethod.COPY_FILE_RANGE
        self.verified: Verified | None = None
        self.error: BaseException | None = None
        self._compared: int | None = None
        self._unsynced = 0
        self._kernel_copies = False
        self._buffer = bytearray()
        self._stop, self._ended = threading.Event(), threading.Event()

    def run(self, report: Report, interval: float = REPORT_INTERVAL) -> CopyMethod:
        """Copy, reporting every `interval` seconds and once more when all is durable.

        Both files are closed by the copying thread. `error` tells afterwards whether the copy
        itself failed; then it is raised here. What `report` raises, or a signal, stops the copy.
        """
        thread = threading.Thread(target=self._work, name="image-copy", daemon=True)
        thread.start()
        try:
            while not self._ended.wait(interval):
                self._tell(report)
        finally:
            self._stop.set()
            thread.join()
        if self.error is not None:
            raise self.error
        self._tell(report)
        return self.method

    def _tell(self, report: Report) -> None:
        if self.verified and self._compared is not None:
            self.verified(self._compared)
        report(self.bytes_done, self.cursor, self.method)

    def _work(self) -> None:
        """The thread: it owns the files, so that none is closed while it is still in use."""
        try:
            with self.source, self.target:
                self._copy()
        except BaseException as error:
            self.error = error
        finally:
            self._ended.set()

    def _copy(self) -> None:
        fd = self.source.fileno()
        if self.reflink and self._reflink():
            self.bytes_done = data_bytes(fd, self.length)
        else:
            self.bytes_done = data_bytes(fd, self.cursor)
            if self.direct and data_bytes(fd, self.length) >= LEAST_DIRECT:
                self._copy_directly()
            for begin, end in data_extents(fd, self.offset, self.length):
                self._copy_extent(begin, end)
        if not self._stop.is_set():
            os.ftruncate(self.target.fileno(), self.size)
            os.fsync(self.target.fileno())
            self.cursor = self.size
            if self.verified:
                self._verify()

    def _reflink(self) -> bool:
        """Share the source's blocks if the file system can; any refusal means a real copy."""
        try:
            fcntl.ioctl(self.target.fileno(), FICLONE, self.source.fileno())
        except OSError:
            self.method = CopyMethod.COPY_FILE_RANGE
            return False
        return True

    def _copy_directly(self) -> None:
        """Write past the page cache, up to where that cannot be done; the rest is left."""
        with opened_directly(self.source.fileno(), self.target.fileno()) as target:
            if target is None:
                return
            self.method = CopyMethod.DIRECT
            try:
                for offset, chunk in one_ahead(self._chunks()):
                    self.offset = offset
                    write_all(target, chunk, offset)
                    self._advance(len(chunk))
            except OSError as error:
                if error.errno not in NOT_HERE:
                    raise
                self.method = CopyMethod.COPY_FILE_RANGE

    def _chunks(self) -> Iterator[tuple[int, memoryview]]:
        """Read what is to be copied; a chunk holds until the one after the next is asked for."""
        source = self.source.fileno()
        buffers = cycle([mmap(-1, MAX_CHUNK), mmap(-1, MAX_CHUNK)])  # whole pages, as is needed
        for begin, end in data_extents(source, self.offset, self.length):
            offset = begin
            while offset < end and (wanted := self._allowed(end - offset)):
                chunk = memoryview(next(buffers))[:wanted]
                count = self._read(chunk, offset)
                yield offset, chunk[:count]
                offset += count

    def _copy_extent(self, begin: int, end: int) -> None:
        self.offset = begin
        while self.offset < end and (wanted := self._allowed(end - self.offset)):
            self._advance(self._copy_chunk(wanted))

    def _allowed(self, wanted: int) -> int:
        """Wait until bytes may pass; return how many of those wanted, 0 once the copy stops."""
        count = min([MAX_CHUNK, wanted, *(limiter.chunk for limiter in self.limiters)])
        for limiter in self.limiters:
            limiter.take(count, self._stop)
        return 0 if self._stop.is_set() else count

    def _verify(self) -> None:
        """Compare the durable target with its source, from the beginning. Raises CopyDiffers."""
        source, target = self.source.fileno(), self.target.fileno()
        self._compared = 0
        for begin, end in data_of_either(source, target, self.size):
            offset = begin
            while offset < end and (count := self._allowed(end - offset)):
                compare(source, target, offset, count)
                offset += count
                self._compared += count

    def _copy_chunk(self, wanted: int) -> int:
        """Copy up to `wanted` bytes at the current offset and return how many it were."""
        if self.method is CopyMethod.COPY_FILE_RANGE:
            copied = self._copy_in_kernel(wanted)
            if copied:
                return copied
            self.method = CopyMethod.READ_WRITE
        return self._copy_by_hand(wanted)

    def _copy_in_kernel(self, wanted: int) -> int:
        """Return the bytes copied by copy_file_range, 0 where it is of no use.

        Some network and FUSE file systems answer EIO or 0 instead of a clear refusal.
        """
        source, target = self.source.fileno(), self.target.fileno()
        try:
            copied = os.copy_file_range(source, target, wanted, self.offset, self.offset)
        except OSError as error:
            useless = error.errno == errno.EIO and not self._kernel_copies
            if error.errno in NOT_HERE or useless:
                return 0
            raise
        self._kernel_copies = True
        return copied

    def _copy_by_hand(self, wanted: int) -> int:
        """Read and write; zero blocks stay holes."""
        if not self._buffer:
            self._buffer = bytearray(MAX_CHUNK)
        with memoryview(self._buffer) as view:
            count = self._read(view[:wanted], self.offset)
        write_sparse(self.target.fileno(), self._buffer, count, self.offset)
        return count

    def _read(self, chunk: memoryview, offset: int) -> int:
        """Fill the chunk from the source, as far as it goes.

        Raises:
            Unreadable: its disk fails.
            StorageError: it is short.
        """
        try:
            count = os.preadv(self.source.fileno(), [chunk], offset)
        except OSError as error:
            if error.errno == errno.EIO:
                raise Unreadable(offset, os.strerror(errno.EIO)) from error
            raise
        if not count:
            raise StorageError(f"The source image ends at byte {offset} of {self.length}.")
        return count

    def _advance(self, count: int) -> None:
        start_writeout(self.target.fileno(), self.offset, count)
        self.offset += count
        self.bytes_done += count
        self._unsynced += count
        if self._unsynced >= SYNC_INTERVAL:
            self._sync()

    def _sync(self) -> None:
        """Move the cursor to the current offset, once everything below is on the disk."""
        target = self.target.fileno()
        if os.fstat(target).st_size < self.offset:
            # Zeros were left out at the end; the partial must still reach up to its cursor.
            os.pwrite(target, b"\0", self.offset - 1)
        os.fdatasync(target)
        self.cursor = self.offset
        self._unsynced = 0
