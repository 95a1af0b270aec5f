"""A clone is cancelled before it begins, in the middle, at its very end: all fits together."""

import os
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.service import Service, eventually, running_service
from tests.worker.drives import clone, content_of, finished, progress_of, upload
from tests.worker.insight import clone_jobs, images_open_in, kinds_of, worker_of
from tests.worker.servers import clone_server, make_server

pytestmark = pytest.mark.worker
MIB = 1024**2
ENDINGS = {"success", "failed", "cancelled"}
CANCELS = 200
WHOLE = 3  # clones whose time is taken before


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("cancel"), worker_id) as running:
        yield running


@pytest.fixture
def api(service: Service) -> Iterator[httpx.Client]:
    with service.client() as client:
        yield client


def cancel(api: httpx.Client, job: str) -> dict[str, Any]:
    """Cancel a job and return it; it may have ended before."""
    answer = api.post(f"/jobs/{job}/action/", params={"do": "cancel"})
    assert answer.status_code in {200, 403}, answer.text
    return api.get(f"/jobs/{job}/").json()


def tidy(api: httpx.Client, service: Service) -> bool:
    """Is every file in storage the image of a drive, and every drive at rest?"""
    drives = api.get("/drives/?limit=0&fields=uuid,status").json()["objects"]
    files = {path.name for path in (service.home / "images").glob("*/[!.]*")}
    at_rest = {drive["status"] for drive in drives} <= {"unmounted", "mounted"}
    return at_rest and files == {f"{drive['uuid']}.raw" for drive in drives}


def slow_down(service: Service) -> None:
    """Have clones take long from now on: 25 MiB each second."""
    service.manage("limit_bandwidth", "zadara-1", "25MiB")


def assert_matches(api: httpx.Client, service: Service, job: dict[str, Any]) -> None:
    """See that a clone that succeeded is whole, and that of a cancelled one nothing is there."""
    assert [kind for kind in kinds_of(job) if kind in ENDINGS] == [job["state"]]
    drive, source = job["params"]["drive"], job["params"]["source"]
    status = api.get(f"/drives/{drive}/").status_code
    if job["state"] == "success":
        assert status == 200
        assert content_of(service, drive) == content_of(service, source)
    else:
        assert (job["state"], status) == ("cancelled", 404)


def assert_all_fits(api: httpx.Client, service: Service) -> list[str]:
    """See that storage is tidy soon, and that every job matches it; return their states."""
    eventually(lambda: tidy(api, service), timeout=30)
    jobs = list(clone_jobs(service).values())
    for job in jobs:
        assert_matches(api, service, job)
    return [job["state"] for job in jobs]


def test_waiting_clone_is_cancelled(api: httpx.Client, service: Service) -> None:
    service.kill_cluster()
    job = clone(api, upload(api, os.urandom(8 * MIB), "dssd"))["jobs"][0]["uuid"]
    assert cancel(api, job)["state"] == "cancelled"
    assert assert_all_fits(api, service) == ["cancelled"]
    service.start_cluster()
    later = clone(api, upload(api, os.urandom(8 * MIB), "dssd"))["jobs"][0]["uuid"]
    assert finished(api, later)["state"] == "success"
    assert sorted(assert_all_fits(api, service)) == ["cancelled", "success"]


def test_running_clone_is_cancelled_and_its_bytes_are_free_long_before_the_end(
    api: httpx.Client, service: Service
) -> None:
    source = upload(api, os.urandom(400 * MIB), "dssd")
    slow_down(service)
    job = clone(api, source, storage_type="zadara")["jobs"][0]["uuid"]
    eventually(lambda: progress_of(api, job) >= 10)
    worker = worker_of(api, job)
    assert images_open_in(worker) != []
    assert cancel(api, job)["state"] == "cancelled"
    eventually(lambda: not images_open_in(worker), timeout=8)  # left alone: 14
    assert assert_all_fits(api, service) == ["cancelled"]


def test_clone_cancelled_in_its_last_moment_ends_one_way(
    api: httpx.Client, service: Service
) -> None:
    source = upload(api, os.urandom(32 * MIB), "dssd")
    for _ in range(20):
        new = clone(api, source, storage_type="zadara")
        eventually(lambda new=new: has_its_size(service, new), interval=0.001)
        time.sleep(random.uniform(0, 0.03))
        cancel(api, new["jobs"][0]["uuid"])
    assert len(assert_all_fits(api, service)) == 20


def has_its_size(service: Service, drive: dict[str, Any]) -> bool:
    """Has an image, or its partial, the size that it gets when all bytes are copied?"""
    with suppress(FileNotFoundError):  # it was renamed meanwhile
        paths = (service.home / "images").glob(f"*/{drive['uuid']}.*")
        return any(path.stat().st_size == drive["size"] for path in paths)
    return False


def test_tree_of_five_is_cancelled(api: httpx.Client, service: Service) -> None:
    disks = [upload(api, os.urandom(70 * MIB), "zadara") for _ in range(5)]
    server = make_server(api, "five", disks)
    slow_down(service)
    root = clone_server(api, server)["jobs"][0]["uuid"]
    eventually(lambda: progress_of(api, root) >= 45)
    assert cancel(api, root)["state"] == "cancelled"
    states = assert_all_fits(api, service)
    assert len(states) == 5
    assert set(states) == {"success", "cancelled"}
    assert {api.get(f"/drives/{uuid}/").json()["status"] for uuid in disks} == {"mounted"}


def seconds_of_clone(api: httpx.Client, source: str) -> float:
    """Let a clone end, and return how long it took."""
    began = time.monotonic()
    job = clone(api, source, storage_type="zadara")["jobs"][0]["uuid"]
    assert finished(api, job)["state"] == "success"
    return time.monotonic() - began


def test_two_hundred_cancels_at_random_moments_leave_nothing_in_between(
    api: httpx.Client, service: Service
) -> None:
    source = upload(api, os.urandom(8 * MIB), "dssd")
    took = min(seconds_of_clone(api, source) for _ in range(WHOLE))

    def clone_and_cancel(_: int) -> str:
        job = clone(api, source, storage_type="zadara")["jobs"][0]["uuid"]
        time.sleep(random.uniform(0, 2 * took))
        return cancel(api, job)["state"]

    with ThreadPoolExecutor(4) as threads:
        states = list(threads.map(clone_and_cancel, range(CANCELS)))
    assert sorted(assert_all_fits(api, service)) == sorted([*states, *["success"] * WHOLE])
    assert set(states) == {"success", "cancelled"}
