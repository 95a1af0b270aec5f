import io
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from drives.storage.file import FileBackend

MIB = 1024 * 1024
Mount = Callable[..., Path]


@pytest.fixture
def backend(tmp_path: Path) -> FileBackend:
    made = FileBackend(tmp_path / "images", reflink=False)
    made.report_interval = 0.02
    return made


@pytest.fixture
def source(backend: FileBackend) -> UUID:
    """An image of 16 MiB with random data at 2–4 MiB and 9–10 MiB."""
    image = uuid4()
    data = bytearray(16 * MIB)
    data[2 * MIB : 4 * MIB] = os.urandom(2 * MIB)
    data[9 * MIB : 10 * MIB] = os.urandom(MIB)
    backend.write(image, io.BytesIO(data), len(data), len(data))
    return image


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mounts a file system and unmounts it afterwards; skips where that is not allowed."""
    mounted: list[Path] = []

    def do_mount(*options: str) -> Path:
        target = tmp_path / f"mount{len(mounted)}"
        target.mkdir()
        command = ["mount", *options, str(target)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
        mounted.append(target)
        return target

    yield do_mount
    for target in mounted:
        subprocess.run(["umount", target], check=True)
