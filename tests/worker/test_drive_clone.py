"""A drive cloned by a real worker, as a person does it: upload, clone, watch, download."""

import os
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.service import Service, eventually
from tests.worker.drives import clone, digest_of, finished, upload

pytestmark = pytest.mark.worker
MIB = 1024**2


@pytest.fixture(scope="module")
def api(service: Service) -> Iterator[httpx.Client]:
    with service.client() as client:
        yield client


def test_clone_is_equal_to_its_source_to_the_byte(api: httpx.Client) -> None:
    source = upload(api, os.urandom(24 * MIB), "dssd")
    new = clone(api, source)
    job = finished(api, new["jobs"][0]["uuid"])
    assert (job["state"], job["data"]) == ("success", {"progress": 100})
    assert digest_of(api, new["uuid"]) == digest_of(api, source)


def test_progress_rises_and_never_falls_on_a_limited_host(api: httpx.Client) -> None:
    source = upload(api, os.urandom(350 * MIB), "zadara")
    new = clone(api, source)
    address, seen = f"/jobs/{new['jobs'][0]['uuid']}/", []
    while (job := api.get(address).json())["state"] == "started":
        seen.append(job["data"]["progress"])
        time.sleep(0.1)
    assert seen == sorted(seen)
    assert len({percent for percent in seen if percent < 100}) >= 3
    assert job["data"] == {"progress": 100}


def test_statuses_follow_the_clone(api: httpx.Client) -> None:
    source = upload(api, os.urandom(150 * MIB), "zadara")
    new = clone(api, source)
    assert new["status"] == "cloning_dst"
    assert api.get(f"/drives/{source}/").json()["status"] == "cloning_src"
    finished(api, new["jobs"][0]["uuid"])
    statuses = [api.get(f"/drives/{uuid}/").json()["status"] for uuid in (source, new["uuid"])]
    assert statuses == ["unmounted", "unmounted"]


def test_created_resized_and_deleted_by_internal_jobs(api: httpx.Client) -> None:
    body = {"name": "empty", "size": 512 * MIB, "media": "disk"}
    uuid = api.post("/drives/", json=body).json()["objects"][0]["uuid"]
    eventually(lambda: api.get(f"/drives/{uuid}/").json()["status"] == "unmounted")
    api.put(f"/drives/{uuid}/", json=body | {"size": 1024 * MIB})
    eventually(lambda: api.get(f"/drives/{uuid}/").json()["size"] == 1024 * MIB)
    assert api.delete(f"/drives/{uuid}/").status_code == 204
    eventually(lambda: api.get(f"/drives/{uuid}/").status_code == 404)
