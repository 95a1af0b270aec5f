"""Storage of its own for each test, and something that can be tagged."""

from pathlib import Path

import pytest

from accounts.models import User
from drives.models import Drive
from servers.models import Server
from tests.factories import DriveFactory, ServerFactory


@pytest.fixture(autouse=True)
def own_storage(storage: Path) -> Path:
    return storage


@pytest.fixture
def drive(owner: User) -> Drive:
    return DriveFactory(owner=owner)


@pytest.fixture
def server(owner: User) -> Server:
    return ServerFactory(owner=owner)
