"""Events while the database or Redis is away, and when announcements are lost."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from uuid import uuid4

import httpx
import psutil
import pytest
from websockets.sync.client import ClientConnection

from tests.events.listening import cookie_of, event_of, listening, status_of_refusal
from tests.service import Service, eventually, running_service
from tests.worker.drives import clone, finished, upload
from tests.worker.outages import OwnPostgreSQL, OwnRedis

pytestmark = pytest.mark.worker
MIB = 1024**2
SECONDS_AWAY = 2


@pytest.fixture
def fragile(
    database: OwnPostgreSQL,
    queue: OwnRedis,
    tmp_path_factory: pytest.TempPathFactory,
    worker_id: str,
) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("away")
    with running_service(home, worker_id, workers=0) as running:
        running.start_events()
        yield running


def hears_again(client: ClientConnection, api: httpx.Client) -> bool:
    """Change the profile again and again until the client hears of it."""
    mark = uuid4().hex
    for number in range(30):
        company = f"{mark}, attempt {number}"
        assert api.put("/profile/", json={"company": company}).status_code == 200
        with suppress(TimeoutError):
            while mark not in str(client.recv(0.5)):
                pass  # it is of a change before
            return True
    return False


def test_sockets_outlive_database_and_redis(
    fragile: Service, database: OwnPostgreSQL, queue: OwnRedis
) -> None:
    with fragile.client() as api, listening(fragile) as client:
        cookie = cookie_of(api)
        assert hears_again(client, api)
        database.stop()
        assert status_of_refusal(fragile, cookie) == 503
        time.sleep(SECONDS_AWAY)
        database.start()
        eventually(lambda: api.get("/profile/").status_code == 200)
        assert hears_again(client, api)
        queue.stop()
        began = time.monotonic()
        assert api.put("/profile/", json={"company": "unheard"}).status_code == 200
        assert time.monotonic() - began < 3
        queue.start()
        assert hears_again(client, api)
        with frozen(database), ThreadPoolExecutor() as threads:
            waiting = threads.submit(status_of_refusal, fragile, cookie)
            time.sleep(0.5)
            assert fragile.events is not None
            fragile.events.terminate()
            assert fragile.events.wait(20) == 0
            assert waiting.exception() is not None  # it was waiting when all ended


@contextmanager
def frozen(database: OwnPostgreSQL) -> Iterator[None]:
    """Let the database hold its connections, and answer nothing."""
    pid = int((database.folder / "data" / "postmaster.pid").read_text().split()[0])
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for process in processes:
        process.suspend()
    yield
    for process in processes:
        process.resume()


def test_what_no_announcement_told_of_is_found_by_the_sweep(
    heard: Service, remote: httpx.Client
) -> None:
    job = clone(remote, upload(remote, os.urandom(MIB), "dssd"))["jobs"][0]["uuid"]
    finished(remote, job)
    with listening(heard) as client:
        code = (
            "from jobs.models import Job; from django.db.models.functions import Now; "
            f"Job.objects.filter(pk='{job}').update(error='in silence', last_modified=Now())"
        )
        heard.manage("shell", "--no-imports", "-c", code)
        data = {"progress": 100, "error": "in silence"}
        event_of(client, f"/api/2.0/jobs/{job}/", data=data)
