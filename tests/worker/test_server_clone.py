"""A server cloned by real workers: a tree of jobs, watched until it ends."""

import os
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.service import Service, running_service
from tests.worker.drives import content_of, finished, upload
from tests.worker.servers import clone_server, drives_of, make_server

pytestmark = pytest.mark.worker
MIB = 1024**2


@pytest.fixture(scope="module")
def four_workers(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("four"), worker_id, workers=4) as service:
        yield service


@pytest.fixture(scope="module")
def api(four_workers: Service) -> Iterator[httpx.Client]:
    with four_workers.client() as client:
        yield client


def test_clone_of_a_server_with_two_disks_and_a_cd(
    api: httpx.Client, four_workers: Service
) -> None:
    sizes = {"0:0": 1024 * MIB, "0:1": 200 * MIB}
    disks = [upload(api, os.urandom(size), "zadara") for size in sizes.values()]
    cd = upload(api, os.urandom(MIB), "dssd")
    api.put(f"/drives/{cd}/", json={"name": "cd", "media": "cdrom", "size": 512 * MIB})
    source = api.get(f"/servers/{make_server(api, 'big', disks, cd)}/").json()
    new = clone_server(api, source["uuid"])
    assert len(new["drives"]) == 3
    watch(api, new["jobs"][0]["uuid"], list(sizes.values()))
    assert_is_clone(api, four_workers, source, new)


def watch(api: httpx.Client, job: str, weights: list[int]) -> None:
    """See that the root shows the mean of its children, weighted by bytes, until all succeed."""
    polls = 0
    while (root := api.get(f"/jobs/{job}/").json())["state"] == "started":
        shares = [child["data"]["progress"] for child in root["children"]]
        mean = sum(w * s for w, s in zip(weights, shares, strict=True)) / sum(weights)
        assert abs(root["data"]["progress"] - mean) <= 1
        polls += 1
        time.sleep(0.2)
    assert polls > 10
    assert {one["state"] for one in [root, *root["children"]]} == {"success"}
    assert {one["data"]["progress"] for one in [root, *root["children"]]} == {100}


def assert_is_clone(
    api: httpx.Client, service: Service, source: dict[str, Any], new: dict[str, Any]
) -> None:
    """See that each disk was cloned to its place, with exactly its job, and the CD is shared."""
    old_drives, new_drives = drives_of(source), drives_of(new)
    assert old_drives.keys() == new_drives.keys()
    root = api.get(f"/jobs/{new['jobs'][0]['uuid']}/").json()
    jobs = {child["resources"][1].split("/")[-2]: child["uuid"] for child in root["children"]}
    for place, uuid in new_drives.items():
        drive = api.get(f"/drives/{uuid}/").json()
        assert drive["status"] == "mounted"
        if place == ("ide", "0:0"):
            assert uuid == old_drives[place]
        else:
            assert [job["uuid"] for job in drive["jobs"]] == [jobs[uuid]]
            assert content_of(service, uuid) == content_of(service, old_drives[place])


def test_twenty_clones_of_servers_at_once_all_end(api: httpx.Client, four_workers: Service) -> None:
    disks = [upload(api, os.urandom(2 * MIB), "dssd") for _ in range(2)]
    server = make_server(api, "small", disks)
    roots = [clone_server(api, server)["jobs"][0]["uuid"] for _ in range(20)]
    ended = [finished(api, root) for root in roots]
    assert [root["state"] for root in ended] == ["success"] * 20
    for root in ended:
        assert {child["state"] for child in root["children"]} == {"success"}
        last = max(child["last_modified"] for child in root["children"])
        assert root["last_modified"] >= last  # none ended early
    statuses = {api.get(f"/drives/{uuid}/").json()["status"] for uuid in disks}
    assert statuses == {"mounted"}


def test_failed_disk_leaves_the_other_one(api: httpx.Client, four_workers: Service) -> None:
    good, bad = (upload(api, os.urandom(150 * MIB), "zadara") for _ in range(2))
    server = make_server(api, "half", [good, bad])
    (image,) = (four_workers.home / "images").glob(f"*/{bad}.raw")
    os.truncate(image, 1024 * MIB)  # more than the drive holds, so it cannot be copied
    new = clone_server(api, server)
    root = finished(api, new["jobs"][0]["uuid"])
    states = [child["state"] for child in root["children"]]
    assert (root["state"], sorted(states)) == ("failed", ["failed", "success"])
    (reason,) = [child["data"]["error"] for child in root["children"] if "error" in child["data"]]
    assert root["data"]["error"] == reason
    drives = drives_of(api.get(f"/servers/{new['uuid']}/").json())
    assert api.get(f"/drives/{drives['virtio', '0:0']}/").json()["status"] == "mounted"
    assert api.get(f"/drives/{drives['virtio', '0:1']}/").json()["status"] == "unavailable"
    assert api.delete(f"/drives/{drives['virtio', '0:1']}/").status_code == 204
