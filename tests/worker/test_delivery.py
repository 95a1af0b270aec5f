"""The queue delivers at least once, and may deliver the same message twice at the same moment."""

import os
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from tests.service import ROOT, Service, running_service
from tests.worker.drives import clone, content_of, finished, upload

pytestmark = pytest.mark.worker
MIB = 1024**2

# Tries to run the job that is named, as a worker does that got its message.
RUN = """
import sys, logging
import django; django.setup()
from jobs.tasks import run_job
print("ready", flush=True)
sys.stdin.readline()
run_job(sys.argv[1])
"""


@pytest.fixture
def idle_service(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Service]:
    """A service whose cluster is not running: messages wait until the test delivers them."""
    home = tmp_path_factory.mktemp("idle")
    with running_service(home, worker_id, workers=0) as service:
        yield service


def deliver(service: Service, job: str, times: int) -> None:
    """Have the message of a job delivered to several workers at the same moment."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", RUN, job],
            cwd=ROOT,
            env=service.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(times)
    ]
    for worker in workers:
        assert worker.stdout is not None
        worker.stdout.readline()
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    assert [worker.wait(60) for worker in workers] == [0] * times


def attempts_at(service: Service, job: str) -> str:
    code = f"from jobs.models import Job; print(Job.objects.get(pk='{job}').attempts)"
    return service.manage("shell", "--no-imports", "-c", code).strip()


@pytest.fixture
def api(idle_service: Service) -> Iterator[httpx.Client]:
    with idle_service.client() as client:
        yield client


def test_message_delivered_twice_copies_once(api: httpx.Client, idle_service: Service) -> None:
    source = upload(api, os.urandom(8 * MIB), "dssd")
    new = clone(api, source)
    job = new["jobs"][0]["uuid"]
    deliver(idle_service, job, times=1)
    first = finished(api, job)
    deliver(idle_service, job, times=1)
    assert (attempts_at(idle_service, job), finished(api, job)) == ("1", first)


def test_message_delivered_to_four_at_once_copies_once(
    api: httpx.Client, idle_service: Service
) -> None:
    source = upload(api, os.urandom(64 * MIB), "zadara")
    new = clone(api, source)
    job = new["jobs"][0]["uuid"]
    deliver(idle_service, job, times=4)
    assert finished(api, job)["state"] == "success"
    assert attempts_at(idle_service, job) == "1"
    assert content_of(idle_service, new["uuid"]) == content_of(idle_service, source)
