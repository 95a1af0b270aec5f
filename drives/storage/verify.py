"""Whether a copy is like its source on the disk, and not only in memory.

What was just written lies in the page cache, and reading it there says nothing about the disk. So
pages are dropped before they are read, which works for those that are durable already, as all of a
copy are by then. The caches of the disk itself are beyond reach.
"""

import os

from drives.storage.errors import CopyDiffers, Unreadable


def compare(source: int, target: int, offset: int, count: int) -> None:
    """Compare `count` bytes of two files, both read from the disk.

    Raises:
        CopyDiffers: they are not alike.
        Unreadable: the disk of either does not give them back.
    """
    one, other = (read_from_disk(fd, offset, count) for fd in (source, target))
    if one != other:
        place = next(place for place in range(count) if one[place] != other[place])
        raise CopyDiffers(offset + place)


def read_from_disk(fd: int, offset: int, count: int) -> bytes:
    """Return bytes of a file; beyond its end they are zeros. They leave the page cache again."""
    os.posix_fadvise(fd, offset, count, os.POSIX_FADV_DONTNEED)
    try:
        data = os.pread(fd, count, offset)
    except OSError as error:
        raise Unreadable(offset, str(error.strerror)) from error
    os.posix_fadvise(fd, offset, count, os.POSIX_FADV_DONTNEED)
    return data.ljust(count, b"\0")
