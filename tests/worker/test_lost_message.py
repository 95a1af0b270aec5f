"""A message is lost: the cluster sweeps every 10 seconds, and finds it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.service import Service, eventually
from tests.worker.drives import clone, content_of, finished, upload
from tests.worker.insight import clone_jobs, cluster_processes, kinds_of

pytestmark = pytest.mark.worker
MIB = 1024**2
PURGE = "from django_q.brokers import get_broker; get_broker().purge_queue()"


@contextmanager
def nothing_fetched(service: Service) -> Iterator[None]:
    """Stop the process that fetches messages, the youngest of the cluster, and let it go on."""
    eventually(lambda: len(cluster_processes(service)) == 4)
    pusher = cluster_processes(service)[-1]
    pusher.suspend()
    time.sleep(1.5)  # until Redis does not wait any more to give it one
    yield
    pusher.resume()


def test_job_without_a_message_is_found_by_the_sweep(fresh_service: Service) -> None:
    with fresh_service.client() as api:
        source = upload(api, os.urandom(8 * MIB), "dssd")
        with nothing_fetched(fresh_service):
            new = clone(api, source)
            fresh_service.manage("shell", "--no-imports", "-c", PURGE)
            job = new["jobs"][0]["uuid"]
            assert kinds_of(clone_jobs(fresh_service)[job]) == ["submitted"]
        assert finished(api, job, 40)["state"] == "success"
        assert content_of(fresh_service, new["uuid"]) == content_of(fresh_service, source)
