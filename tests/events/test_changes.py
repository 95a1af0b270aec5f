"""What is told of: every change of jobs, drives, servers and the profile, to their owner alone."""

import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection

from tests.events.conftest import STRANGER
from tests.events.listening import (
    Event,
    deletion_of,
    event_of,
    events_of,
    events_until,
    is_silent,
    listening,
)
from tests.service import Service
from tests.worker.drives import clone, upload

pytestmark = pytest.mark.worker
MIB = 1024**2
API = "/api/2.0"


@pytest.fixture
def client(heard: Service) -> Iterator[ClientConnection]:
    with listening(heard) as client:
        yield client


@pytest.fixture
def drive(remote: httpx.Client) -> str:
    return upload(remote, os.urandom(MIB), "dssd")


@pytest.fixture
def server(remote: httpx.Client, drive: str) -> str:
    """A server that has the drive."""
    mount = {"drive": drive, "device": "virtio", "dev_channel": "0:0"}
    machine = {"cpu": 1000, "mem": 512 * MIB, "vnc_password": "x", "name": "heard"}
    answer = remote.post("/servers/", json={**machine, "drives": [mount]})
    return answer.json()["objects"][0]["uuid"]


def act(remote: httpx.Client, path: str, name: str) -> None:
    answer = remote.post(f"{path}action/", params={"do": name})
    assert answer.status_code in {200, 202}, answer.text


def states_in(events: list[Event], path: str) -> list[Any]:
    """Return state and progress of a job as events told them."""
    jobs = [event["object"] for event in events if event["resource_uri"] == path]
    return [(job["state"], job["data"]["progress"]) for job in jobs]


def test_clone_is_followed_to_its_end(remote: httpx.Client, client: ClientConnection) -> None:
    source = upload(remote, os.urandom(400 * MIB), "dssd")
    new = clone(remote, source, storage_type="zadara")  # 100 MiB/s: four seconds
    job, made = new["jobs"][0]["resource_uri"], f"{API}/drives/{new['uuid']}/"
    events = events_until(
        client,
        lambda event: event["resource_uri"] == job and event["object"]["state"] == "success",
    )
    states = states_in(events, job)
    assert states[-1] == ("success", 100)
    assert any(state == "started" and 0 < progress < 100 for state, progress in states)
    assert [progress for _, progress in states] == sorted(progress for _, progress in states)
    statuses = [each["object"]["status"] for each in events if each["resource_uri"] == made]
    assert statuses[0] == "cloning_dst"
    assert remote.get(f"/drives/{source}/").json()["status"] == "unmounted"


def test_waiting_for_a_status_asks_only_when_told(
    remote: httpx.Client, client: ClientConnection
) -> None:
    """As CloudSigma's own library waits: an event of the object, then a GET of it."""
    source = upload(remote, os.urandom(300 * MIB), "dssd")
    made = clone(remote, source, storage_type="zadara")["resource_uri"]
    statuses = []
    while not statuses or statuses[-1] != "unmounted":
        events_until(client, lambda event: event["resource_uri"] == made)
        statuses.append(remote.get(made.removeprefix(API)).json()["status"])
    assert statuses == ["cloning_dst", "unmounted"]


def test_both_drives_of_a_clone_are_told_of(
    remote: httpx.Client, client: ClientConnection, drive: str
) -> None:
    made = clone(remote, drive)
    jobs = [{name: made["jobs"][0][name] for name in ("resource_uri", "uuid")}]
    ended = {"status": "unmounted", "jobs": jobs}
    events_of(client, {f"{API}/drives/{uuid}/": ended for uuid in (drive, made["uuid"])})


def test_clone_of_a_server_is_told_of_by_root_and_disk(
    remote: httpx.Client, client: ClientConnection, server: str
) -> None:
    answer = remote.post(f"/servers/{server}/action/", params={"do": "clone"})
    new = answer.json()
    new = new.get("objects", [new])[0]
    path, (root,) = f"{API}/servers/{new['uuid']}/", [job["resource_uri"] for job in new["jobs"]]
    events = events_of(client, {path: {"status": "stopped"}, root: {"state": "success"}})
    children = events[root]["object"]["children"]
    assert [child["state"] for child in children] == ["success"]


def test_cancelled_clone_is_told_of_and_its_drive_is_gone(
    heard: Service, remote: httpx.Client, client: ClientConnection
) -> None:
    source = upload(remote, os.urandom(300 * MIB), "zadara")
    new = clone(remote, source)
    job, made = f"/jobs/{new['jobs'][0]['uuid']}/", f"{API}/drives/{new['uuid']}/"
    with listening(heard) as another:
        act(remote, job, "cancel")
        event_of(another, API + job, state="cancelled")
    deletion_of(client, made)
    act(remote, job, "retry")
    event_of(client, made, status="cloning_dst")
    act(remote, job, "cancel")


def test_drive_is_told_of_when_it_is_made_changed_grown_and_deleted(
    remote: httpx.Client, client: ClientConnection
) -> None:
    wish = {"name": "one", "size": 512 * MIB, "media": "disk"}
    path = remote.post("/drives/", json=wish).json()["objects"][0]["resource_uri"]
    event_of(client, path, name="one", status="unmounted")
    short = path.removeprefix(API)
    remote.put(short, json=wish | {"name": "two"})
    event_of(client, path, name="two")
    remote.put(short, json=wish | {"name": "two", "size": 1024 * MIB})
    event = event_of(client, path, size=1024 * MIB, status="unmounted")
    assert event["object"] == remote.get(short).json()
    remote.delete(short)
    assert deletion_of(client, path) == {
        "resource_type": "drives",
        "resource_uri": path,
        "object": None,
    }


def test_uploaded_drive_is_told_of(
    remote: httpx.Client, client: ClientConnection, drive: str
) -> None:
    event_of(client, f"{API}/drives/{drive}/", status="unmounted")


def test_drive_is_told_of_when_its_upload_begins(
    remote: httpx.Client, client: ClientConnection
) -> None:
    wish = {"name": "image", "media": "disk", "size": MIB}
    path = remote.post("/initupload/", json={"objects": [wish]}).json()["objects"][0][
        "resource_uri"
    ]
    event_of(client, path, status="uploading")


def test_drive_is_told_of_when_it_gets_and_loses_a_snapshot(
    remote: httpx.Client, client: ClientConnection, drive: str
) -> None:
    path = f"{API}/drives/{drive}/"
    snapshot = remote.post("/snapshots/", json={"drive": drive}).json()["objects"][0]["uuid"]
    shown = [{"resource_uri": f"{API}/snapshots/{snapshot}/", "uuid": snapshot}]
    event_of(client, path, status="unmounted", snapshots=shown)
    remote.delete(f"/snapshots/{snapshot}/")
    event_of(client, path, snapshots=[])


def test_drive_is_told_of_when_it_gets_and_loses_a_tag(
    remote: httpx.Client, client: ClientConnection, drive: str
) -> None:
    path, tag = f"{API}/drives/{drive}/", {"name": "heard"}
    made = remote.post("/tags/", json={**tag, "resources": [drive]}).json()["objects"][0]["uuid"]
    shown = {"resource_uri": f"{API}/tags/{made}/", "uuid": made}
    event_of(client, path, tags=[shown])
    remote.put(f"/tags/{made}/", json={**tag, "resources": []})
    event_of(client, path, tags=[])
    remote.put(f"/tags/{made}/", json={**tag, "resources": [drive]})
    event_of(client, path, tags=[shown])
    remote.delete(f"/tags/{made}/")
    event_of(client, path, tags=[])


def test_server_is_told_of_when_it_starts_changes_stops_and_goes(
    remote: httpx.Client, client: ClientConnection, server: str, drive: str
) -> None:
    path = f"{API}/servers/{server}/"
    event_of(client, f"{API}/drives/{drive}/", status="mounted")
    act(remote, f"/servers/{server}/", "start")
    event_of(client, path, status="running")
    wish = {"cpu": 1000, "mem": 512 * MIB, "vnc_password": "x"}
    remote.put(f"/servers/{server}/", json={**wish, "name": "another"})
    event_of(client, path, name="another")
    act(remote, f"/servers/{server}/", "stop")
    event_of(client, path, status="stopped")
    remote.put(f"/servers/{server}/", json={**wish, "name": "another", "drives": []})
    event_of(client, f"{API}/drives/{drive}/", status="unmounted")
    remote.delete(f"/servers/{server}/")
    assert deletion_of(client, path)["resource_type"] == "servers"


def test_server_is_told_of_when_its_drive_goes(
    remote: httpx.Client, client: ClientConnection, server: str, drive: str
) -> None:
    remote.delete(f"/drives/{drive}/")
    event_of(client, f"{API}/servers/{server}/", drives=[])


def test_profile_is_told_of_however_it_is_changed(
    heard: Service, remote: httpx.Client, client: ClientConnection
) -> None:
    remote.put("/profile/", json={"company": "through the API"})
    event_of(client, f"{API}/profile/", company="through the API")
    code = "p = Profile.objects.get(user__email='owner@example.com'); p.company = 'x'; p.save()"
    heard.manage("shell", "-c", f"from accounts.models import Profile; {code}")
    event_of(client, f"{API}/profile/", company="x")


def test_nobody_hears_of_what_others_do(
    heard: Service, remote: httpx.Client, client: ClientConnection, drive: str
) -> None:
    with listening(heard, STRANGER) as stranger:
        remote.put("/profile/", json={"company": "not to be heard"})
        new = clone(remote, drive)
        event_of(client, new["jobs"][0]["resource_uri"], state="success")
        assert is_silent(stranger, 0.5)


def test_every_socket_of_a_user_hears_of_it(heard: Service, remote: httpx.Client) -> None:
    with listening(heard) as one, listening(heard) as other:
        remote.put("/profile/", json={"company": "twice"})
        path = f"{API}/profile/"
        assert event_of(one, path, company="twice") == event_of(other, path, company="twice")


def test_refused_request_tells_nothing(
    heard: Service, client: ClientConnection, remote: httpx.Client, drive: str
) -> None:
    event_of(client, f"{API}/drives/{drive}/")
    answer = remote.post(f"/drives/{drive}/action/", params={"do": "clone"}, json={"size": 1})
    assert answer.status_code == 400
    assert is_silent(client, 0.5)
