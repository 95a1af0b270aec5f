"""`clone-reflink`: 1 GiB of data on XFS, where a clone shares its blocks with the source."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

from benchmarks.environment import home
from benchmarks.measure import Result, Skipped, interleaved, medians, seconds
from drives.storage import CopyMethod
from drives.storage.file import FileBackend

GIB, MIB = 1024**3, 1024**2


def run() -> Result:
    with mounted_xfs() as folder:
        backend, source = FileBackend(folder / "images"), uuid4()
        backend.create(source, GIB)
        image = folder / "images" / f"{source}.raw"
        with image.open("r+b") as file:
            for _ in range(16):
                file.write(os.urandom(64 * MIB))
            os.fsync(file.fileno())
        figures = interleaved(
            {
                "ours": partial(clone, backend, source),
                "cp --reflink": partial(copy, image),
            }
        )
    typical = medians(figures)
    return Result(
        name="clone-reflink",
        ours=f"{typical['ours'] * 1000:.1f} ms",
        floor=f"cp --reflink {typical['cp --reflink'] * 1000:.1f} ms",
        ratio=typical["ours"] / typical["cp --reflink"],
        target="< 50 ms",
        holds=typical["ours"] < 0.05,
        raw={"seconds": figures},
    )


def clone(backend: FileBackend, source: object) -> float:
    target = uuid4()
    methods = []
    took = seconds(
        lambda: methods.append(
            backend.clone(target, backend, source, GIB, report=lambda *progress: None)
        )
    )
    assert methods == [CopyMethod.REFLINK]
    backend.delete(target)
    return took


def copy(image: Path) -> float:
    target = image.with_name("copy.bench")

    def reflink() -> None:
        subprocess.run(["cp", "--reflink=always", str(image), str(target)], check=True)
        subprocess.run(["sync", str(target)], check=True)

    took = seconds(reflink)
    target.unlink()
    return took


@contextmanager
def mounted_xfs() -> Iterator[Path]:
    """Mount a new XFS image by loop; needs root and mkfs.xfs."""
    image, folder = home() / "xfs.img", home() / "xfs"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(4 * GIB)
    try:
        must_work(["mkfs.xfs", "-q", str(image)])
        must_work(["mount", "-o", "loop", str(image), str(folder)])
    except FileNotFoundError as error:
        raise Skipped(f"{error.filename} is not installed") from error
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def must_work(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Skipped(f"{command[0]}: {done.stderr.strip()}")
