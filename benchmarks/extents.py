"""`extents`: one image copied front to back with the next piece read ahead, as our engine does,
against several of its extents at once.

All write past the page cache and wait for the disk. A disk that answers several writes faster than
one after the other would show here; then the engine should do so, too.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from mmap import mmap
from pathlib import Path

from accounts.models import User
from benchmarks.environment import home
from benchmarks.measure import Result, interleaved, medians, quiet_disk, seconds
from benchmarks.sources import GIB, HOST, MIB, make_source
from drives.storage import get_host
from drives.storage.copy import Copier
from drives.storage.limiter import MAX_CHUNK

SIZE, EXTENTS, EXTENT = 4 * GIB, 8, 256 * MIB
AT_ONCE = (2, 4, 8)


def run() -> Result:
    drive = make_source(User.objects.create_user("extents@example.com"), SIZE, EXTENTS, EXTENT)
    source = Path(get_host(HOST).backend.folder.root) / f"{drive.pk}.raw"
    target = home() / "extents.raw"
    contestants: dict[str, Callable[[], float]] = {
        f"{number} at once": partial(copied, partial(copy_at_once, number), source, target)
        for number in AT_ONCE
    }
    contestants["ours"] = partial(copied, copy_by_engine, source, target)
    figures = interleaved(contestants, before_each=quiet_disk)
    source.unlink()
    typical = medians(figures)
    best = min((name for name in typical if name != "ours"), key=lambda name: typical[name])
    ratio = typical["ours"] / typical[best]
    return Result(
        name="extents",
        ours=f"{typical['ours']:.2f} s",
        floor=f"{best} {typical[best]:.2f} s",
        ratio=ratio,
        target="≤ 1.0 × several extents at once",
        holds=ratio <= 1,
        raw={"seconds": figures},
    )


def copied(copy: Callable[[Path, Path], None], source: Path, target: Path) -> float:
    """Return the seconds that a way to copy takes, and remove what it made."""
    took = seconds(lambda: copy(source, target))
    assert target.stat().st_blocks == source.stat().st_blocks
    target.unlink()
    return took


def copy_by_engine(source: Path, target: Path) -> None:
    files = source.open("rb"), target.open("w+b", buffering=0)
    Copier(*files, SIZE, SIZE, reflink=False).run(lambda *_: None)


def copy_at_once(number: int, source: Path, target: Path) -> None:
    """Copy pieces of the extents by so many threads, each with a buffer of its own."""
    target.touch()
    os.truncate(target, SIZE)
    reading, writing = os.open(source, os.O_RDONLY), os.open(target, os.O_WRONLY | os.O_DIRECT)
    buffers = [mmap(-1, MAX_CHUNK) for _ in range(number)]

    def copy_piece(offset: int) -> None:
        buffer = buffers.pop()
        os.preadv(reading, [buffer], offset)
        os.pwrite(writing, buffer, offset)
        buffers.append(buffer)

    with ThreadPoolExecutor(number) as threads:
        list(threads.map(copy_piece, pieces()))
    os.fsync(writing)
    os.close(reading)
    os.close(writing)


def pieces() -> Iterator[int]:
    """Yield where each piece of the image's data begins."""
    for begin in range(0, SIZE, SIZE // EXTENTS):
        yield from range(begin, begin + EXTENT, MAX_CHUNK)
