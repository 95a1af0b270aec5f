"""Snapshots taken by real workers: where reflinks are, where they are not, and across a stop."""

import os

import httpx
import pytest

from tests.factories import MIB
from tests.service import Service, eventually, stop_tree
from tests.worker.drives import content_of, digest_of, finished, upload

pytestmark = pytest.mark.worker


def take(api: httpx.Client, drive: str) -> str:
    answer = api.post("/snapshots/", json={"drive": drive})
    assert answer.status_code == 201, answer.text
    return answer.json()["objects"][0]["uuid"]


def status_of(api: httpx.Client, kind: str, uuid: str) -> str:
    return api.get(f"/{kind}/{uuid}/").json()["status"]


@pytest.mark.parametrize("storage_type", ["dssd", "zadara"])
def test_drive_made_of_a_snapshot_is_equal_to_the_byte(service: Service, storage_type: str) -> None:
    with service.client() as api:
        drive = upload(api, os.urandom(24 * MIB), storage_type)
        snapshot = take(api, drive)
        eventually(lambda: status_of(api, "snapshots", snapshot) == "available")
        assert status_of(api, "drives", drive) == "unmounted"
        answer = api.post(f"/snapshots/{snapshot}/action/", params={"do": "clone"}, json={})
        job = finished(api, answer.json()["jobs"][0]["uuid"])
        assert job["state"] == "success"
        assert digest_of(api, answer.json()["uuid"]) == digest_of(api, drive)


def test_snapshot_goes_on_after_the_workers_were_stopped(fresh_service: Service) -> None:
    with fresh_service.client() as api:
        drive = upload(api, os.urandom(300 * MIB), "zadara")
        snapshot = take(api, drive)
        partial = fresh_service.home / "images" / "zadara-1" / f"{snapshot}.partial"
        eventually(lambda: partial.exists() and partial.stat().st_blocks * 512 > 20 * MIB)
        assert fresh_service.cluster
        stop_tree(fresh_service.cluster)
        assert status_of(api, "snapshots", snapshot) == "creating"
        assert status_of(api, "drives", drive) == "cloning_src"
        fresh_service.start_cluster()
        eventually(lambda: status_of(api, "snapshots", snapshot) == "available")
        assert status_of(api, "drives", drive) == "unmounted"
        assert content_of(fresh_service, snapshot) == content_of(fresh_service, drive)
