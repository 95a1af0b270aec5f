"""The purge of a long history: only what is old goes, in little memory, and nobody has to wait."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest

from tests.service import Service, running_service

pytestmark = pytest.mark.worker

OLD, YOUNGER, RUNNING = 100_000, 10_000, 100
MIB = 1024**2

FILL = f"""
from datetime import timedelta
from accounts.models import User
from benchmarks.history import make_history
from django.utils import timezone
owner = User.objects.get().pk
now = timezone.now()
make_history(owner, {OLD}, 2, ended=now - timedelta(days=3, minutes=1))
make_history(owner, {YOUNGER}, 2, ended=now - timedelta(days=2))
make_history(owner, {RUNNING}, 2, ended=None)
"""

PURGE = """
import json, resource, time
from django.core.management import call_command
from django.db import connection
from jobs.models import Job, JobLink
slowest = 0
def timed(execute, *statement):
    global slowest
    began = time.perf_counter()
    try:
        return execute(*statement)
    finally:
        slowest = max(slowest, time.perf_counter() - began)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.perf_counter()
with connection.execute_wrapper(timed):
    call_command("purge_jobs")
took = time.perf_counter() - began
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
roots = Job.objects.roots()
print(json.dumps({
    "took": took, "slowest": slowest, "grown": grown, "jobs": Job.objects.count(),
    "links": JobLink.objects.count(),
    "ended": roots.filter(state="success").count(), "running": roots.unfinished().count(),
}))
"""


def slowest_answer(api: httpx.Client, until: Event, seen: list[float]) -> None:
    """Change the profile and list jobs again and again, noting how long each takes."""
    while not until.is_set():
        began = time.monotonic()
        assert api.get("/jobs/?limit=5").status_code == 200
        assert api.put("/profile/", json={"first_name": "Ada"}).status_code == 200
        seen.append(time.monotonic() - began)
        time.sleep(0.05)


@pytest.fixture
def service_without_workers(tmp_path: Path, worker_id: str) -> Iterator[Service]:
    """A service whose schedules do not run: nobody else purges."""
    with running_service(tmp_path, worker_id, workers=0) as service:
        yield service


def test_purge_of_a_long_history(service_without_workers: Service) -> None:
    service = service_without_workers
    service.manage("shell", "--no-imports", "-c", FILL)
    seen: list[float] = []
    done = Event()
    with service.client() as api:
        asking = Thread(target=slowest_answer, args=(api, done, seen))
        asking.start()
        printed = service.manage("shell", "--no-imports", "-c", PURGE).splitlines()
        done.set()
        asking.join()
    assert printed[0] == f"{OLD} trees of {OLD * 3} jobs were deleted."
    report = json.loads(printed[1])
    left = YOUNGER + RUNNING
    assert (report["ended"], report["running"]) == (YOUNGER, RUNNING)
    assert (report["jobs"], report["links"]) == (left * 3, left * 6)
    assert report["slowest"] < report["took"] / 20
    assert report["grown"] < 50 * MIB
    assert seen
    assert max(seen) < max(5, report["took"] / 4)
