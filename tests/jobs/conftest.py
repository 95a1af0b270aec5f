import pytest

from accounts.models import User
from jobs.actions import submit
from jobs.models import Job
from tests.trees import leaf


@pytest.fixture
def job(owner: User) -> Job:
    """A job that waits, with 1000 bytes to move."""
    return submit(leaf(1000), owner)


@pytest.fixture
def claimed(job: Job) -> Job:
    """The same job, leased by a worker."""
    assert job.claim("worker:1")
    return job
