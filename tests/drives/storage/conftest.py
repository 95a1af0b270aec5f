import io
import os
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from drives.storage.file import FileBackend

MIB = 1024 * 1024


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
