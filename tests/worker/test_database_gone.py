"""The database goes away in the middle of a clone, and comes back."""

import os
import time
from collections.abc import Iterator

import pytest

from tests.service import Service, eventually, running_service
from tests.worker import settings
from tests.worker.drives import clone, content_of, finished, progress_of, upload
from tests.worker.insight import clone_jobs, clusters_running, kinds_of
from tests.worker.outages import OwnPostgreSQL

pytestmark = pytest.mark.worker
MIB = 1024**2
SECONDS_AWAY = 10


@pytest.fixture
def service(
    database: OwnPostgreSQL, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[Service]:
    variables = {"DJANGO_SETTINGS_MODULE": settings.NAME, "LEASE_SECONDS": "30"}
    home = tmp_path_factory.mktemp("away")
    with running_service(home, worker_id, **variables) as running:
        yield running


@pytest.mark.parametrize("size", [200 * MIB, 450 * MIB], ids=["to the end", "in the middle"])
def test_clone_goes_on_while_the_database_is_away(
    service: Service, database: OwnPostgreSQL, size: int
) -> None:
    with service.client() as api:
        source = upload(api, os.urandom(size), "dssd")
        new = clone(api, source, storage_type="small")  # 25 MiB/s: 8 or 18 seconds
        job = new["jobs"][0]["uuid"]
        eventually(lambda: progress_of(api, job) >= 10)
        database.stop()
        time.sleep(SECONDS_AWAY)
        database.start()
        eventually(lambda: api.get("/jobs/").status_code == 200)
        assert finished(api, job)["state"] == "success"
        assert kinds_of(clone_jobs(service)[job]) == ["submitted", "claimed", "success"]
        assert content_of(service, new["uuid"]) == content_of(service, source)
    eventually(lambda: clusters_running(service) == 1)
