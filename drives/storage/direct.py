"""Writing past the page cache, which a copy that is larger than the memory only fills and empties.

On the disk of a machine that is busy it takes a third to a half of the time: nothing is copied
within the memory a second time, and nothing is left for the kernel to write later.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TypeVar

Item = TypeVar("Item")


@contextmanager
def opened_directly(source: int, target: int) -> Iterator[int | None]:
    """Open the target a second time, for direct writes; None where they are no way to copy.

    File systems that have no block device of their own (on a network, in memory, over several
    disks) have better ways, name their holes or not, and differ in what they call direct.
    """
    direct = None
    if all(os.major(os.fstat(fd).st_dev) for fd in (source, target)):
        with suppress(OSError):
            flags = os.O_WRONLY | os.O_DIRECT | os.O_CLOEXEC
            direct = os.open(f"/proc/self/fd/{target}", flags)
    try:
        yield direct
    finally:
        if direct is not None:
            os.close(direct)


def one_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Yield the items; while one of them is used, the next is made in another thread."""
    with ThreadPoolExecutor(1, "image-read") as maker:
        upcoming = maker.submit(next, items, None)
        while (item := upcoming.result()) is not None:
            upcoming = maker.submit(next, items, None)
            yield item
