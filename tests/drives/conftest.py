"""Storage of its own for each test, so that what is left behind can be seen."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from drives.models import Drive
from jobs.models import Job
from tests.factories import GIB

Unchanged = Callable[[], AbstractContextManager[None]]


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> Path:
    """Put the hosts of the settings into a folder of the test; they take drives up to 64 GiB."""
    hosts = deepcopy(settings.STORAGE_HOSTS)
    for name, host in hosts.items():
        host["options"]["root"] = str(tmp_path / "images" / name)
        host["max_size"] = 64 * GIB
    settings.STORAGE_HOSTS = hosts
    return tmp_path / "images"


@pytest.fixture
def unchanged(storage: Path, db: None) -> Unchanged:
    """Return a context in which no drive, job or file may change."""

    @contextmanager
    def check() -> Iterator[None]:
        before = everything(storage)
        yield
        assert everything(storage) == before

    return check


def everything(storage: Path) -> list[Any]:
    rows = [list(model.objects.order_by("pk").values()) for model in (Drive, Job)]
    images = [path for path in storage.rglob("*") if path.is_file() and path.suffix]
    files = sorted((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in images)
    return [*rows, files]
