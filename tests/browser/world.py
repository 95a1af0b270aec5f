"""An account with something of everything, so that every page has something to show."""

import os
from dataclasses import dataclass

import httpx

from tests.service import Service, stop_tree
from tests.worker.drives import clone, finished

MIB = 1024**2


@dataclass(frozen=True)
class World:
    """The uuids of what a page can be about."""

    drive: str
    server: str
    done: str
    failed: str
    running: str


def make_world(site: Service, api: httpx.Client, data: int = 40 * MIB) -> World:
    """Make drives, a server, and a job that succeeded, one that failed, one that runs."""
    names = ("web-root", "web-data")
    disks = [
        upload_named(api, name, os.urandom(size))
        for name, size in zip(names, (data, data // 2), strict=True)
    ]
    disc = upload_named(api, "rescue", os.urandom(MIB), media="cdrom", storage_type="dssd")
    server = make_server(api, "web-1", disks, disc)
    done = clone_server(api, server, "web-2")
    finished(api, done)
    failed = make_failure(site, api)
    return World(disks[0], server, done, failed, clone_server(api, server, "web-3"))


def upload_named(
    api: httpx.Client, name: str, data: bytes, media: str = "disk", storage_type: str = "zadara"
) -> str:
    answer = api.post(
        f"/drives/upload/{name}/",
        params={"media": media, "storage_type": storage_type},
        content=data,
        headers={"Content-Type": "application/octet-stream"},
    )
    return answer.text


def make_server(api: httpx.Client, name: str, disks: list[str], disc: str) -> str:
    mounts = [
        {"drive": disk, "device": "virtio", "dev_channel": f"0:{place}"}
        for place, disk in enumerate(disks)
    ]
    mounts.append({"drive": disc, "device": "ide", "dev_channel": "0:0"})
    cards = [{"ip_v4_conf": {"conf": "dhcp"}}]
    machine = {"name": name, "cpu": 2000, "mem": 1024 * MIB, "vnc_password": "secret"}
    body = machine | {"drives": mounts, "nics": cards}
    return api.post("/servers/", json=body).json()["objects"][0]["uuid"]


def clone_server(api: httpx.Client, server: str, name: str) -> str:
    """Return the job of a server's clone."""
    answer = api.post(f"/servers/{server}/action/?do=clone", json={"name": name}).json()
    return answer["jobs"][0]["uuid"]


def make_failure(site: Service, api: httpx.Client) -> str:
    """Return a job that failed: its source's image was taken away while no worker was there."""
    source = upload_named(api, "archive", os.urandom(MIB), storage_type="dssd")
    assert site.cluster
    stop_tree(site.cluster)
    job = clone(api, source, name="archive-copy")["jobs"][0]["uuid"]
    (image,) = site.home.glob(f"images/*/{source}.raw")
    image.unlink()
    site.start_cluster()
    finished(api, job)
    return job


def pages_of(world: World) -> dict[str, str]:
    """Return the address of every page, by a name for it."""
    return {
        "job-running": f"/jobs/{world.running}/",
        "overview": "/",
        "jobs": f"/jobs/?open={world.running}",
        "jobs-none": "/jobs/?text=nothing",
        "job-done": f"/jobs/{world.done}/",
        "job-failed": f"/jobs/{world.failed}/",
        "job-cancel": f"/jobs/{world.running}/cancel/",
        "drives": "/drives/",
        "drive": f"/drives/{world.drive}/",
        "drive-create": "/drives/create/",
        "drive-upload": "/drives/upload/",
        "drive-clone": f"/drives/{world.drive}/clone/",
        "drive-delete": f"/drives/{world.drive}/delete/",
        "servers": "/servers/",
        "server": f"/servers/{world.server}/",
        "server-create": "/servers/create/",
        "server-clone": f"/servers/{world.server}/clone/",
        "server-delete": f"/servers/{world.server}/delete/",
        "clusters": "/clusters/",
        "profile": "/profile/",
        "password": "/profile/password/",
        "token": "/profile/tokens/",
        "api": "/api/2.0/",
        "api-job": f"/api/2.0/jobs/{world.running}/",
        "api-drive": f"/api/2.0/drives/{world.drive}/",
    }
