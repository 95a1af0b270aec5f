"""A clone whose worker died goes on where it stopped, and nobody sees it go back."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.service import Service, eventually, running_service
from tests.worker import settings
from tests.worker.drives import clone, content_of, finished, progress_of, upload
from tests.worker.insight import clone_jobs, cluster_processes, kinds_of

pytestmark = pytest.mark.worker
MIB = 1024**2
SIZE = 1024 * MIB


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("resume")
    with running_service(home, worker_id, DJANGO_SETTINGS_MODULE=settings.NAME) as running:
        yield running


@contextmanager
def watched(service: Service, job: str) -> Iterator[list[int]]:
    """Note the percents that the API shows of a job meanwhile."""
    seen: list[int] = []
    over = threading.Event()

    def watch() -> None:
        with service.client() as api:
            while not over.wait(0.1):
                seen.append(progress_of(api, job))

    thread = threading.Thread(target=watch)
    thread.start()
    yield seen
    over.set()
    thread.join()


def bytes_read(service: Service) -> int:
    """Return what all processes of a cluster have read until now, from wherever it came."""
    return sum(process.io_counters().read_chars for process in cluster_processes(service))


def test_killed_clone_goes_on_and_reads_little_again(service: Service) -> None:
    with service.client() as api:
        source = upload(api, os.urandom(SIZE), "dssd")
        new = clone(api, source, storage_type="zadara")
        job = new["jobs"][0]["uuid"]
        with watched(service, job) as seen:
            eventually(lambda: progress_of(api, job) >= 75)
            service.kill_cluster()
            time.sleep(settings.JOB_LEASE_SECONDS + 1)
            service.start_cluster()
            assert finished(api, job)["state"] == "success"
        assert bytes_read(service) <= 0.35 * SIZE
        assert seen == sorted(seen)
        assert kinds_of(clone_jobs(service)[job])[1:] == ["claimed", "lost", "claimed", "success"]
        assert content_of(service, new["uuid"]) == content_of(service, source)
