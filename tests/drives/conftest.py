"""Storage of its own for each test, so that what is left behind can be seen."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_storage(storage: Path) -> Path:
    return storage
