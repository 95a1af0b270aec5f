"""What most tests need: users with clients, and a way to have the submitted jobs run."""

import os
import shutil
from collections.abc import Callable

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from accounts.models import User
from jobs import runner
from jobs.models import Job
from tests import operations
from tests.factories import UserFactory

pytest_plugins = ["tests.service"]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the state of the tests, once all processes that share it are done."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ["CLOUDJOBS_HOME"], ignore_errors=True)


@pytest.fixture(autouse=True)
def forgotten() -> None:
    """Let no test see what another left in memory."""
    cache.clear()
    operations.settled.clear()


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


@pytest.fixture
def run_jobs(db: None) -> Callable[[], None]:
    """Run every job that waits, as a worker would that got its message."""

    def run() -> None:
        for job in Job.objects.claimable().order_by("created", "lft"):
            runner.run(job.pk)

    return run
