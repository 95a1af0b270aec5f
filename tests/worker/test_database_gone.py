"""The database goes away in the middle of a clone or an upload, and comes back."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chunks import FORM, fields, form
from tests.service import Service, eventually, running_service
from tests.worker import settings
from tests.worker.drives import clone, content_of, finished, image_of, progress_of, upload
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


def test_image_that_comes_meanwhile_is_kept(service: Service, database: OwnPostgreSQL) -> None:
    image = os.urandom(32 * MIB)
    with service.client() as api:
        answer = api.post(
            "/drives/upload/",
            content=with_an_outage(image, service.home, database),
            headers={
                "Content-Type": "application/octet-stream",
                "Content-Length": str(len(image)),
            },
        )
        assert answer.status_code == 200, answer.text
        assert image_of(service, answer.text).read_bytes()[: len(image)] == image


def test_chunk_that_comes_meanwhile_is_kept(service: Service, database: OwnPostgreSQL) -> None:
    image = os.urandom(32 * MIB)
    body = form(fields(1, len(image), size=len(image)), image)
    with service.client() as api:
        definition = {"name": "a", "media": "disk", "size": len(image)}
        (drive,) = api.post("/initupload/", json=definition).json()["objects"]
        answer = api.post(
            f"/drives/{drive['uuid']}/upload/",
            content=with_an_outage(body, service.home, database),
            headers={"Content-Type": FORM, "Content-Length": str(len(body))},
        )
        assert answer.status_code == 200, answer.text
        assert image_of(service, drive["uuid"]).read_bytes()[: len(image)] == image


def with_an_outage(body: bytes, home: Path, database: OwnPostgreSQL) -> Iterator[bytes]:
    """Yield a body in pieces; the database is started anew once the first half is being stored."""
    pieces = [body[begin : begin + MIB] for begin in range(0, len(body), MIB)]
    half = len(pieces) // 2
    yield from pieces[:half]
    eventually(lambda: any(one.stat().st_blocks for one in home.glob("images/*/*.partial")))
    database.stop()
    database.start()
    yield from pieces[half:]
