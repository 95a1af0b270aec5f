"""Holes: where a file has none, and how to write without filling them."""

import errno
import os
from collections.abc import Iterator

BLOCK = 4096
"""Bytes; the unit in which zeros become holes, the block size of the usual file systems."""

ZEROS = bytes(BLOCK)


def data_extents(fd: int, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the ranges (begin, end) between `start` and `end` that hold data, in order.

    A file system or device that cannot tell answers EINVAL or EOPNOTSUPP: then all of it is data.
    """
    while start < end:
        try:
            begin = os.lseek(fd, start, os.SEEK_DATA)
            stop = min(os.lseek(fd, begin, os.SEEK_HOLE), end)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
                raise
            begin, stop = start, end
        if begin < stop:
            yield begin, stop
        start = max(begin, stop)


def data_of_either(one: int, other: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the ranges below `end` in which at least one of two files holds data, in order."""
    at = 0
    while at < end:
        firsts = [next(data_extents(fd, at, end), None) for fd in (one, other)]
        found = [extent for extent in firsts if extent]
        if not found:
            return
        begin = min(begin for begin, _ in found)
        at = max(stop for first, stop in found if first == begin)
        yield begin, at


def data_bytes(fd: int, end: int) -> int:
    """Count the bytes below `end` that are not in holes."""
    return sum(stop - begin for begin, stop in data_extents(fd, 0, end))


def write_sparse(fd: int, data: bytearray, length: int, offset: int) -> None:
    """Write the first `length` bytes of `data` at `offset` and leave out its zero blocks.

    Only correct where the file has no data yet, or the same. The file is not extended over zeros
    at its end.
    """
    with memoryview(data) as view:
        for begin, end in _nonzero_runs(data, length):
            write_all(fd, view[begin:end], offset + begin)


def write_dense(fd: int, data: bytearray, length: int, offset: int) -> None:
    """Write the first `length` bytes of `data` at `offset`, zeros too."""
    with memoryview(data) as view:
        write_all(fd, view[:length], offset)


def write_all(fd: int, view: memoryview, offset: int) -> None:
    """Write all of `view` at `offset`, however little the kernel takes at once."""
    while view:
        written = os.pwrite(fd, view, offset)
        view = view[written:]
        offset += written


def start_writeout(fd: int, offset: int, length: int) -> None:
    """Make the kernel begin to write the range to disk, without waiting.

    POSIX_FADV_DONTNEED does that on Linux for the range's dirty pages, so the disk works while the
    next chunk is copied, and a later fdatasync finds little left to do. It also keeps large copies
    from pushing everything else out of the page cache.
    """
    os.posix_fadvise(fd, offset, length, os.POSIX_FADV_DONTNEED)


def _nonzero_runs(data: bytearray, length: int) -> Iterator[tuple[int, int]]:
    """Yield the ranges of whole blocks that hold anything but zeros; the last may be short."""
    begin: int | None = None
    for position in range(0, length, BLOCK):
        end = min(position + BLOCK, length)
        # Unlike a comparison of slices, startswith copies nothing.
        if data.startswith(ZEROS[: end - position], position, end):
            if begin is not None:
                yield begin, position
            begin = None
        elif begin is None:
            begin = position
    if begin is not None:
        yield begin, length
