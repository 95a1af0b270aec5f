"""Requests and workers that want the same drives in different orders: none waits for ever."""

import os
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

import httpx
import pytest

from tests.service import Service, eventually
from tests.worker.drives import upload

pytestmark = pytest.mark.worker
MIB = 1024**2
PASSING = {"creating", "cloning_src", "cloning_dst", "resizing", "deleting", "uploading"}


@pytest.fixture
def api(fresh_service: Service) -> Iterator[httpx.Client]:
    with fresh_service.client() as client:
        yield client


def cross(api: httpx.Client, source: str) -> list[httpx.Response]:
    """Clone a drive three times and delete it with its clones, in both orders, all at once."""
    action = f"/drives/{source}/action/"
    answers = [api.post(action, params={"do": "clone"}) for _ in range(3)]
    clones = [answer.json()["objects"][0]["uuid"] for answer in answers]
    pairs = [(source, clone) for clone in clones] + [(clone, source) for clone in clones]
    wishes = [*pairs, *pairs, None, None]
    random.shuffle(wishes)

    def ask(wish: tuple[str, str] | None) -> httpx.Response:
        if wish is None:
            return api.post(action, params={"do": "clone"})
        body = {"objects": [{"uuid": uuid} for uuid in wish]}
        return api.request("DELETE", "/drives/", json=body)

    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(ask, wishes))


def faults(answer: httpx.Response) -> list[str]:
    return [one["error_type"] for one in answer.json()] if answer.status_code >= 400 else []


def test_crossed_deletes_and_clones_leave_nothing_behind(
    api: httpx.Client, fresh_service: Service
) -> None:
    sources = [upload(api, os.urandom(4 * MIB), "dssd") for _ in range(5)]
    with ThreadPoolExecutor(5) as threads:
        answers = list(chain(*threads.map(lambda source: cross(api, source), sources)))
    assert {fault for answer in answers for fault in faults(answer)} <= {
        "concurrency",
        "notexist",
        "permission",
    }

    def settled() -> list[dict[str, Any]] | None:
        drives = api.get("/drives/?limit=0&fields=uuid,status").json()["objects"]
        busy = [drive for drive in drives if drive["status"] in PASSING]
        return None if busy else [*drives, {}]

    drives = [drive["uuid"] for drive in eventually(settled) if drive]
    images = {path.stem for path in (fresh_service.home / "images").glob("*/*.raw")}
    assert images == set(drives)
