"""Redis goes away, or loses all messages: the jobs are in the database, and none is lost."""

import os
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.service import Service, eventually, running_service
from tests.worker.drives import clone, content_of, finished, upload
from tests.worker.insight import cluster_processes
from tests.worker.outages import OwnRedis

pytestmark = pytest.mark.worker
MIB = 1024**2
SECONDS_AWAY = 10
SWEEP = 70  # seconds until every waiting job has a message again
WORK = 40  # seconds until all clones are made


@pytest.fixture
def service(
    queue: OwnRedis, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("queue"), worker_id) as running:
        eventually(lambda: len(cluster_processes(running)) == 4)
        yield running


@pytest.fixture
def api(service: Service) -> Iterator[httpx.Client]:
    with service.client() as client:
        yield client


def clones_of(api: httpx.Client, source: str, times: int) -> dict[str, str]:
    """Ask for clones; return the drive that each job makes."""
    new = [clone(api, source, storage_type="zadara") for _ in range(times)]
    return {one["jobs"][0]["uuid"]: one["uuid"] for one in new}


def assert_all_succeed(
    api: httpx.Client, service: Service, source: str, clones: dict[str, str]
) -> None:
    """See that all clones are whole, within the time of a sweep and of the work itself."""
    end = time.monotonic() + SWEEP + WORK
    states = [finished(api, job, end - time.monotonic())["state"] for job in clones]
    assert states == ["success"] * len(clones)
    assert {content_of(service, uuid) for uuid in clones.values()} == {content_of(service, source)}


def test_jobs_survive_that_redis_is_away(
    api: httpx.Client, service: Service, queue: OwnRedis
) -> None:
    source = upload(api, os.urandom(64 * MIB), "dssd")
    clones = clones_of(api, source, 6)
    queue.stop()
    clones |= clones_of(api, source, 2)
    with pytest.raises(AssertionError, match=r"^CommandError: The queue does not answer"):
        service.manage("sweep_jobs")
    time.sleep(SECONDS_AWAY)
    queue.start()
    assert_all_succeed(api, service, source, clones)


def test_jobs_survive_that_redis_is_emptied(
    api: httpx.Client, service: Service, queue: OwnRedis
) -> None:
    source = upload(api, os.urandom(64 * MIB), "dssd")
    clones = clones_of(api, source, 24)
    assert queue.flush(service.env["REDIS_URL"]) > 0
    assert_all_succeed(api, service, source, clones)


def test_cluster_stops_while_redis_is_away(service: Service, queue: OwnRedis) -> None:
    assert service.cluster is not None
    queue.stop()
    time.sleep(2)  # until it was missed
    service.cluster.terminate()
    service.cluster.wait(10)
