"""What most tests need: users with clients, and a way to have the submitted jobs run."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import ApiToken, User
from cloudjobs import patience
from drives.models import Drive, LibraryEntry, Snapshot, Upload
from jobs import runner
from jobs.models import Job, JobLink
from keypairs.models import KeyPair
from servers.models import Mount, Nic, Server, ServerKey
from tags.models import Tag, TagLink
from tests import operations
from tests.factories import GIB, UserFactory

pytest_plugins = ["tests.mounts", "tests.service", "tests.worker.outages"]

Unchanged = Callable[[], AbstractContextManager[None]]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the state of the tests, once all processes that share it are done."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ["CLOUDJOBS_HOME"], ignore_errors=True)


@pytest.fixture(autouse=True)
def forgotten() -> None:
    """Let no test see what another left in memory."""
    for each in ("default", "counters"):
        caches[each].clear()
    operations.settled.clear()
    patience._asked.clear()


@pytest.fixture
def owner(db: None) -> User:
    return UserFactory()


@pytest.fixture
def stranger(db: None) -> User:
    return UserFactory()


def client_of(user: User | None) -> APIClient:
    client = APIClient(raise_request_exception=True)
    client.force_authenticate(user)
    return client


@pytest.fixture
def api(owner: User) -> APIClient:
    """The API as the owner of things uses it."""
    return client_of(owner)


@pytest.fixture
def stranger_api(stranger: User) -> APIClient:
    return client_of(stranger)


@pytest.fixture
def anonymous_api(db: None) -> APIClient:
    return client_of(None)


def browser_of(user: User | None) -> Client:
    client = Client()
    if user:
        client.force_login(user)
    return client


@pytest.fixture
def web(owner: User) -> Client:
    """The pages as the owner of things sees them."""
    return browser_of(owner)


@pytest.fixture
def stranger_web(stranger: User) -> Client:
    return browser_of(stranger)


@pytest.fixture
def anonymous_web(db: None) -> Client:
    return browser_of(None)


@pytest.fixture
def run_jobs(db: None) -> Callable[[], None]:
    """Run every job that waits, as a worker would that got its message."""

    def run() -> None:
        while Job.objects.claimable().exists():
            runner.run_next()

    return run


@pytest.fixture
def storage(settings: Settings, tmp_path: Path) -> Path:
    """Put the hosts of the settings into a folder of the test; they take drives up to 64 GiB.

    They have 16 GiB each, so that what else goes on on the disk decides nothing.
    """
    hosts = deepcopy(settings.STORAGE_HOSTS)
    for name, host in hosts.items():
        host["options"]["root"] = str(tmp_path / "images" / name)
        host["options"]["capacity"] = 16 * GIB
        host["max_size"] = 64 * GIB
    settings.STORAGE_HOSTS = hosts
    return tmp_path / "images"


@pytest.fixture
def unchanged(storage: Path, db: None) -> Unchanged:
    """Return a context in which no server, drive, job or file may change."""

    @contextmanager
    def check() -> Iterator[None]:
        before = everything(storage)
        yield
        assert everything(storage) == before

    return check


def everything(storage: Path) -> list[Any]:
    models = (
        Server,
        Mount,
        Nic,
        ServerKey,
        Drive,
        LibraryEntry,
        Snapshot,
        Upload,
        Job,
        JobLink,
        KeyPair,
        Tag,
        TagLink,
        ApiToken,
    )
    rows = [list(model.objects.order_by("pk").values()) for model in models]
    images = [path for path in storage.rglob("*") if path.is_file() and path.suffix]
    files = sorted((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in images)
    return [*rows, files]
