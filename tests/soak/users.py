"""Users who do at random what the API allows, with what they find."""

import hashlib
import random
import time
import traceback
from collections.abc import Callable
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import httpx

from tests.soak import settings
from tests.soak.ledger import SHOWN, Ledger
from tests.worker.servers import MACHINE

MIB = 1024**2
STORAGE = ("dssd", "nvme", "zadara", settings.SLOW, settings.SLOW)
MOST_DRIVES, MOST_SERVERS = 14, 3  # of a user, who then deletes some
SIZES = (1, 4, 16, 40)  # MiB of data in the images
THINKING = 0.15  # seconds, on average
Objects = list[dict[str, Any]]


class Contents:
    """The images that are uploaded; the name of a drive tells which one it has: `content-2 …`."""

    def __init__(self, seed: int) -> None:
        self.images = [random.Random(f"{seed} {size}").randbytes(size * MIB) for size in SIZES]
        self.digests = [hashlib.sha256(image).hexdigest() for image in self.images]

    def known(self) -> dict[str, tuple[int, str]]:
        """Return size and sha256 of the data by the first word of a drive's name."""
        images = zip(self.images, self.digests, strict=True)
        return {f"content-{n}": (len(image), digest) for n, (image, digest) in enumerate(images)}


class User(Thread):
    """One user, acting until it is over. What it knows of its objects may be out of date."""

    def __init__(self, api: httpx.Client, seed: str, contents: Contents, ledger: Ledger) -> None:
        super().__init__(name=seed)
        self.api, self.contents, self.ledger = api, contents, ledger
        self.random = random.Random(seed)
        self.over = Event()
        self.act = ""
        self.drives: Objects = []
        self.servers: Objects = []
        self.jobs: Objects = []
        self.snapshots: Objects = []
        self.succeeded: dict[str, str] = {}  # when they were last modified, by uuid

    def run(self) -> None:
        acts = dict(ACTS)
        with self.api:
            while not self.over.is_set():
                act = self.random.choices(list(acts), list(acts.values()))[0]
                self.act = act.__name__
                try:
                    act(self)
                except httpx.TransportError as error:
                    self.ledger.trouble(f"{self.act}: {error!r}", is_broken=True)
                except Exception:
                    self.ledger.breach(f"{self.act}: {traceback.format_exc(limit=-3)}")
                self.over.wait(self.random.expovariate(1 / THINKING))

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request and judge the status of its answer."""
        began = time.monotonic()
        answer = self.api.request(method, path, **options)
        self.ledger.answered(self.act, answer.status_code, time.monotonic() - began)
        what = f"{self.act}: {method} {path} {answer.status_code} {answer.text[:SHOWN]}"
        if answer.status_code == 503:
            if "concurrency" not in answer.text:  # another operation is using the object
                self.ledger.trouble(what, is_broken=False)
        elif answer.status_code >= 500:
            self.ledger.breach(what)
        return answer

    def listed(self, path: str, **params: Any) -> Objects | None:
        answer = self.ask("GET", path, params={"limit": 0, **params})
        return answer.json()["objects"] if answer.is_success else None

    def one_of(self, objects: Objects, *statuses: str) -> dict[str, Any] | None:
        fitting = [each for each in objects if not statuses or each["status"] in statuses]
        return self.random.choice(fitting) if fitting else None

    # --- what users do ------------------------------------------------------------------------

    def look(self) -> None:
        """Learn what there is; a job that has succeeded never does anything else again."""
        self.drives = self.listed("/drives/detail/") or self.drives
        self.servers = self.listed("/servers/detail/") or self.servers
        self.snapshots = self.listed("/snapshots/") or self.snapshots
        jobs = self.listed("/jobs/")
        if jobs is not None:  # nobody judges what was listed long ago
            self.jobs = jobs
            for job in jobs:
                self.judge(job)

    def judge(self, job: dict[str, Any]) -> None:
        """See that what a job tells can be."""
        state, progress, changed = job["state"], job["data"]["progress"], job["last_modified"]
        if state != "success" and (then := self.succeeded.get(job["uuid"])):
            self.ledger.breach(
                f"job {job['uuid']} had succeeded at {then} and is {state} since {changed}"
            )
        if (progress == 100) != (state == "success"):
            self.ledger.breach(f"job {job['uuid']} is {state} at {progress} %")
        if state == "success":
            self.succeeded[job["uuid"]] = changed

    def upload(self) -> None:
        if len(self.drives) >= MOST_DRIVES:
            return
        number = self.random.randrange(len(SIZES))
        image = self.contents.images[number]
        self.ask(
            "POST",
            f"/drives/upload/content-{number}",
            params={"storage_type": self.random.choice(STORAGE)},
            content=(image[begin : begin + MIB] for begin in range(0, len(image), MIB)),
            headers={
                "Content-Type": "application/octet-stream",
                "Content-Length": str(len(image)),
            },
        )

    def create_empty(self) -> None:
        if len(self.drives) < MOST_DRIVES:
            size = 512 * MIB
            self.ask("POST", "/drives/", json={"name": "empty", "size": size, "media": "disk"})

    def clone(self) -> None:
        """Clone a drive, now and then repeating the request as if its answer had been lost."""
        source = self.one_of(self.drives, "unmounted", "cloning_src", "mounted")
        if source is None or len(self.drives) >= MOST_DRIVES:
            return
        key = str(uuid4())
        name = f"{source['name'].split()[0]} {key[:8]}"
        wishes = {"name": name, "storage_type": self.random.choice(STORAGE)}
        made = set()
        for _ in range(self.random.choice([1, 1, 2])):
            answer = self.clone_under(key, source["uuid"], wishes)
            if answer is not None and answer.is_success:
                made.add(answer.json()["objects"][0]["uuid"])
        found = self.listed("/drives/", name=name)
        if len(made) > 1 or (found and len(found) > 1):
            self.ledger.breach(f"one request made several clones: {made}, {found}")

    def clone_under(self, key: str, source: str, wishes: dict[str, str]) -> httpx.Response | None:
        try:
            return self.ask(
                "POST",
                f"/drives/{source}/action/?do=clone",
                json=wishes,
                headers={"Idempotency-Key": key},
            )
        except httpx.TransportError as error:
            self.ledger.trouble(f"{self.act}: {error!r}", is_broken=True)
            return None

    def resize(self) -> None:
        drive = self.one_of(self.drives, "unmounted")
        if drive is not None:
            size = drive["size"] + MIB * self.random.randint(1, 64)
            self.ask("POST", f"/drives/{drive['uuid']}/action/?do=resize", json={"size": size})

    def delete_drive(self) -> None:
        drive = self.one_of(self.drives)
        if drive is not None:
            self.ask("DELETE", f"/drives/{drive['uuid']}/")

    def read(self) -> None:
        """Download what a drive has, and compare."""
        drive = self.one_of(self.drives, "unmounted", "cloning_src")
        known = self.contents.known().get(drive["name"].split()[0]) if drive else None
        if drive is None or known is None:
            return
        size, digest = known
        wanted = {"Range": f"bytes=0-{size - 1}"}
        answer = self.ask("GET", f"/drives/{drive['uuid']}/download/", headers=wanted)
        if answer.status_code == 206 and hashlib.sha256(answer.content).hexdigest() != digest:
            self.ledger.breach(f"drive {drive['uuid']} has other bytes than {drive['name']}")

    def take_snapshot(self) -> None:
        drive = self.one_of(self.drives, "unmounted")
        if drive is not None and len(self.snapshots) < MOST_DRIVES // 2:
            body = {"drive": drive["uuid"], "name": drive["name"]}
            self.ask("POST", "/snapshots/", json=body)

    def clone_snapshot(self) -> None:
        snapshot = self.one_of(self.snapshots, "available")
        if snapshot is not None and len(self.drives) < MOST_DRIVES:
            wishes = {"storage_type": self.random.choice(STORAGE), "name": snapshot["name"]}
            self.ask("POST", f"/snapshots/{snapshot['uuid']}/action/?do=clone", json=wishes)

    def delete_snapshot(self) -> None:
        snapshot = self.one_of(self.snapshots)
        if snapshot is not None:
            self.ask("DELETE", f"/snapshots/{snapshot['uuid']}/")

    def make_server(self) -> None:
        free = [drive["uuid"] for drive in self.drives if drive["status"] == "unmounted"]
        if len(self.servers) >= MOST_SERVERS or not free:
            return
        chosen = self.random.sample(free, min(2, len(free)))
        drives = [
            {"drive": uuid, "device": "virtio", "dev_channel": f"0:{unit}"}
            for unit, uuid in enumerate(chosen)
        ]
        self.ask("POST", "/servers/", json={**MACHINE, "name": "server", "drives": drives})

    def clone_server(self) -> None:
        server = self.one_of(self.servers, "stopped")
        if server is not None and len(self.servers) < MOST_SERVERS:
            self.ask("POST", f"/servers/{server['uuid']}/action/?do=clone")

    def switch_server(self) -> None:
        server = self.one_of(self.servers)
        if server is not None:
            do = "start" if server["status"] == "stopped" else "stop"
            self.ask("POST", f"/servers/{server['uuid']}/action/?do={do}")

    def delete_server(self) -> None:
        server = self.one_of(self.servers, "stopped")
        if server is not None:
            recurse = self.random.choice(["?recurse=all_drives", ""])
            self.ask("DELETE", f"/servers/{server['uuid']}/{recurse}")

    def poll(self) -> None:
        """Ask for a job that may be running, as clients do, and for its live figures."""
        job = self.random.choice(self.jobs) if self.jobs else None
        if job is None:
            return
        wait = self.random.choice([0, 0, 1, 3])
        answer = self.ask("GET", f"/jobs/{job['uuid']}/", params={"wait": wait} if wait else {})
        if answer.is_success:
            self.judge(answer.json())
            self.ask("GET", f"/jobs/{job['uuid']}/runtime/")

    def cancel(self) -> None:
        self.steer("cancel", "started")

    def retry(self) -> None:
        self.steer("retry", "failed", "cancelled")

    def steer(self, do: str, *states: str) -> None:
        fitting = [job for job in self.jobs if job["state"] in states]
        if fitting:
            job = self.random.choice(fitting)
            self.ask("POST", f"/jobs/{job['uuid']}/action/?do={do}")


ACTS: dict[Callable[[User], None], int] = {
    User.look: 20,
    User.poll: 25,
    User.clone: 14,
    User.upload: 4,
    User.create_empty: 2,
    User.read: 4,
    User.cancel: 4,
    User.retry: 4,
    User.delete_drive: 9,
    User.resize: 3,
    User.take_snapshot: 3,
    User.clone_snapshot: 3,
    User.delete_snapshot: 3,
    User.make_server: 3,
    User.clone_server: 3,
    User.switch_server: 3,
    User.delete_server: 3,
}
