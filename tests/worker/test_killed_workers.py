"""Processes of the cluster are killed, as the kernel does it when memory runs out."""

import os
import random
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import psutil
import pytest

from tests.service import Service, eventually, running_service
from tests.worker.drives import clone, content_of, finished, partials_of, upload
from tests.worker.insight import clone_jobs, cluster_processes, kinds_of

pytestmark = pytest.mark.worker
MIB = 1024**2
WORKERS = 4
HELPERS = 2  # one fetches messages, one acknowledges them
KILLS = 20


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("killed"), worker_id, WORKERS) as running:
        eventually(lambda: len(cluster_processes(running)) == WORKERS + HELPERS)
        yield running


@pytest.fixture
def api(service: Service) -> Iterator[httpx.Client]:
    with service.client() as client:
        yield client


def kill_one_each_second(service: Service) -> None:
    """Kill a process of the cluster at random, worker or helper, again and again."""
    for _ in range(KILLS):
        with suppress(psutil.NoSuchProcess):
            random.choice(cluster_processes(service)).kill()
        time.sleep(1)


def assert_whole(api: httpx.Client, service: Service, source: str, clones: list[str]) -> None:
    """See that the clones are as their source, and that all are at rest."""
    expected = content_of(service, source)
    assert {content_of(service, uuid) for uuid in clones} == {expected}
    drives = [api.get(f"/drives/{uuid}/").json() for uuid in [source, *clones]]
    assert {drive["status"] for drive in drives} == {"unmounted"}


def assert_ended_once(job: dict) -> None:
    """See that of all attempts one got to the end, and that the log shows each."""
    kinds = kinds_of(job)
    assert (kinds[-1], kinds.count("success")) == ("success", 1)
    assert kinds.count("claimed") == job["attempts"] == kinds.count("lost") + 1


def test_clones_survive_that_workers_and_cluster_are_killed(
    api: httpx.Client, service: Service
) -> None:
    sources = [upload(api, os.urandom(64 * MIB), "dssd") for _ in range(3)]
    new = {
        source: [clone(api, source, storage_type="zadara") for _ in range(10)] for source in sources
    }
    kill_one_each_second(service)
    service.kill_cluster()
    service.start_cluster(WORKERS)
    jobs = [one["jobs"][0]["uuid"] for clones in new.values() for one in clones]
    assert [finished(api, job, 120)["state"] for job in jobs] == ["success"] * 30
    for source, clones in new.items():
        assert_whole(api, service, source, [one["uuid"] for one in clones])
    assert partials_of(service) == []
    rows = clone_jobs(service)
    for job in jobs:
        assert_ended_once(rows[job])
    assert sum(rows[job]["attempts"] for job in jobs) > len(jobs)


def test_killed_idle_worker_does_not_stop_the_others(api: httpx.Client, service: Service) -> None:
    source = upload(api, os.urandom(8 * MIB), "dssd")
    for worker in cluster_processes(service)[: WORKERS - 1]:
        worker.kill()
    began = time.monotonic()
    jobs = [clone(api, source)["jobs"][0]["uuid"] for _ in range(2 * WORKERS)]
    assert {finished(api, job)["state"] for job in jobs} == {"success"}
    assert time.monotonic() - began < 30
    eventually(lambda: len(cluster_processes(service)) == WORKERS + HELPERS)


def test_killed_helpers_are_replaced(api: httpx.Client, service: Service) -> None:
    source = upload(api, os.urandom(8 * MIB), "dssd")
    for helper in cluster_processes(service)[WORKERS:]:
        helper.kill()
    jobs = [clone(api, source)["jobs"][0]["uuid"] for _ in range(2 * WORKERS)]
    assert {finished(api, job)["state"] for job in jobs} == {"success"}
    assert len(cluster_processes(service)) == WORKERS + HELPERS


def test_killed_guard_ends_the_whole_cluster(service: Service) -> None:
    """Nobody else replaces workers: whoever supervises the service has to start it again."""
    assert service.cluster is not None
    family = cluster_processes(service)
    family[0].parent().kill()
    assert service.cluster.wait(10) != 0
    assert psutil.wait_procs(family, timeout=10)[1] == []
