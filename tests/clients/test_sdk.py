"""CloudSigma's own SDK for Python: every class whose section this API has."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cloudsigma import errors, resource
from cloudsigma.bulk import DrivesBulk
from cloudsigma.conf import config
from requests.exceptions import SSLError

from tests.clients.conftest import IMAGE, Login, first_bytes, until
from tests.service import Service, eventually

GIGABYTE = 1024**3
DISK = {"name": "data", "size": GIGABYTE, "media": "disk"}
LISTED = ["Drive", "Jobs", "LibDrive", "Server", "Snapshot", "Tags"]
WITH_SCHEMA = [*LISTED, "Profile"]
NEVER_THERE = ["FirewallPolicy", "IP", "Licenses", "Subscriptions", "VLAN"]
ALONE = ["Balance", "Capabilites", "CurrentUsage", "Pricing", "Profile"]
Make = Callable[[str], Any]


@pytest.fixture(params=["basic", "session"])
def client(request: pytest.FixtureRequest, login: Login) -> Make:
    """Return what makes a client of a resource, for each of the two ways to log in."""
    return maker(login, request.param)


@pytest.fixture
def basic(login: Login) -> Make:
    return maker(login, "basic")


def maker(login: Login, method: str, **differing: Any) -> Make:
    said = {"api_endpoint": login.api, "username": login.email, "password": login.password}
    return lambda name: getattr(resource, name)(**said | differing, login_method=method)


def disk(client: Make, **differing: Any) -> Any:
    """Make a drive and return it when it is there."""
    drives = client("Drive")
    made = drives.create(DISK | differing)
    return until(lambda: drives.get(made["uuid"]), "status", "unmounted")


def server(client: Make, *drives: Any) -> Any:
    mounts = [
        {"drive": one["uuid"], "device": "virtio", "dev_channel": f"0:{unit}", "boot_order": None}
        for unit, one in enumerate(drives)
    ]
    nics = [{"ip_v4_conf": {"conf": "dhcp"}, "model": "virtio"}]
    machine = {"name": "web", "cpu": 2000, "mem": GIGABYTE, "vnc_password": "secret"}
    return client("Server").create(machine | {"drives": mounts, "nics": nics})


def test_every_list_can_be_read(client: Make) -> None:
    for name in LISTED:
        if name != "LibDrive":
            assert client(name).list() == []
        if name != "Jobs":
            client(name).list_detail()
    (image,) = client("LibDrive").list()
    assert image["name"] == IMAGE
    for name in NEVER_THERE:
        assert client(name).list() == client(name).list_detail() == []
    (location,) = client("Locations").list()
    assert location["api_endpoint"] == client("Drive").c.api_endpoint


def test_what_there_is_one_of_can_be_read(client: Make, login: Login) -> None:
    found = {name: client(name).get() for name in ALONE}
    assert found["Profile"]["email"] == login.email
    assert found["Capabilites"]["default_storage_type"] == "dssd"
    assert set(found["Balance"]) == {"balance", "currency"}
    assert found["CurrentUsage"]["usage"]["dssd"]["using"] == 0
    assert found["Pricing"] == []
    for name in WITH_SCHEMA:
        assert client(name).get_schema()["fields"]


def test_profile_can_be_sent_back(client: Make) -> None:
    profile = client("Profile")
    changed = profile.update(profile.get() | {"clone_naming": "COUNTER"})
    assert changed["clone_naming"] == profile.get()["clone_naming"] == "COUNTER"


def test_clone_of_a_drive_is_followed_by_its_job(client: Make) -> None:
    drives, jobs = client("Drive"), client("Jobs")
    source = disk(client)
    clone = drives.clone(source["uuid"], {"name": "copy"}, avoid=[source["uuid"]])
    assert clone["status"] == "cloning_dst"
    job = jobs.get_from_url(clone["jobs"][0]["resource_uri"])
    assert job["operation"] == "drive_clone"
    done = until(lambda: jobs.get(job["uuid"]), "state", "success")
    assert done["data"] == {"progress": 100}
    assert done["resources"] == [source["resource_uri"], clone["resource_uri"]]
    apart = eventually(lambda: client("Drive").get("availability_groups"))
    assert sorted(apart) == sorted([[source["uuid"]], [clone["uuid"]]])
    drives.delete(clone["uuid"])
    eventually(lambda: [one["uuid"] for one in drives.list()] == [source["uuid"]])


def test_drive_grows_and_its_definition_can_be_sent_back(basic: Make) -> None:
    drives = basic("Drive")
    made = disk(basic)
    assert drives.resize(made["uuid"], made | {"size": 2 * GIGABYTE})["status"] == "resizing"
    grown = until(lambda: drives.get(made["uuid"]), "status", "unmounted")
    assert grown["size"] == 2 * GIGABYTE
    changed = drives.update(made["uuid"], grown | {"name": "other", "meta": {"a": "b"}})
    assert (changed["name"], changed["meta"]) == ("other", {"a": "b"})


def test_several_drives_are_made_at_once(basic: Make) -> None:
    made = basic("Drive").create([DISK, DISK], avoid=disk(basic)["uuid"])
    assert len(made) == 2


def test_server_is_started_watched_and_stopped(client: Make) -> None:
    servers = client("Server")
    made = server(client, disk(client))
    uuid = made["uuid"]
    assert servers.runtime(uuid)["active_since"] is None
    assert servers.update(uuid, made | {"name": "other"})["nics"] == made["nics"]
    for off in (servers.stop, servers.shutdown):
        assert servers.start(uuid)["result"] == "success"
        running = until(lambda: servers.get(uuid), "status", "running")
        assert servers.runtime(uuid) == running["runtime"]
        assert off(uuid)["result"] == "success"
        until(lambda: servers.get(uuid), "status", "stopped")
    groups = client("ServersAvailabilityGroups")
    assert groups.list() == [[uuid]]
    assert groups.get(uuid) == [uuid]


def test_clone_of_a_server_is_deleted_with_its_disks(basic: Make) -> None:
    servers, drives, jobs = basic("Server"), basic("Drive"), basic("Jobs")
    sources = [disk(basic), disk(basic)]
    made = server(basic, *sources)
    wishes = {"name": "copy", "random_vnc_password": True}
    clone = servers.clone(made["uuid"], wishes, avoid=made["uuid"])
    root = until(lambda: jobs.get(clone["jobs"][0]["uuid"]), "state", "success")
    assert [one["operation"] for one in root["children"]] == ["drive_clone"] * 2
    assert len(drives.list()) == 4
    servers.delete_with_disks(clone["uuid"])
    kept = {one["uuid"] for one in sources}
    eventually(lambda: {one["uuid"] for one in drives.list()} == kept)
    servers.delete_with_cdroms(made["uuid"])
    assert servers.list() == []
    assert {one["status"] for one in drives.list()} == {"unmounted"}


def test_snapshot_becomes_a_drive(basic: Make) -> None:
    snapshots, drives = basic("Snapshot"), basic("Drive")
    source = disk(basic)
    made = snapshots.create({"drive": source["uuid"], "name": "before"})
    taken = until(lambda: snapshots.get(made["uuid"]), "status", "available")
    assert snapshots.list({"drive": source["uuid"]}) == [taken]
    assert snapshots.update(taken["uuid"], taken | {"name": "after"})["name"] == "after"
    back = snapshots.clone(taken["uuid"], {"name": "back"}, avoid=source["uuid"])
    until(lambda: drives.get(back["uuid"]), "status", "unmounted")
    snapshots.delete(taken["uuid"])
    eventually(lambda: snapshots.list() == [])


def test_tag_finds_what_has_it(basic: Make) -> None:
    tags = basic("Tags")
    drive, machine = disk(basic), server(basic)
    made = tags.create({"name": "front", "resources": [drive["uuid"], machine["uuid"]]})
    uuid = made["uuid"]
    assert [one["uuid"] for one in tags.drives(uuid)] == [drive["uuid"]]
    assert [one["uuid"] for one in tags.servers(uuid)] == [machine["uuid"]]
    assert tags.ips(uuid) == tags.vlans(uuid) == []
    assert tags.update(uuid, {"name": "back", "resources": []})["resources"] == []
    tags.delete(uuid)
    assert tags.list() == []


def test_image_of_the_library_is_cloned(
    cloud: Service, login: Login, basic: Make, image: Path
) -> None:
    (offered,) = basic("LibDrive").list()
    drives = basic("Drive")
    clone = drives.clone(offered["uuid"], {"name": "mine"})
    until(lambda: drives.get(clone["uuid"]), "status", "unmounted")
    data = image.read_bytes()
    assert first_bytes(cloud, login, clone["uuid"], len(data)) == data


def test_bulk_operations_read_the_configuration(
    login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"api_endpoint": login.api, "username": login.email, "password": login.password}
    for name, value in said.items():
        monkeypatch.setitem(config, name, value)
    bulk = DrivesBulk(id_prefix="load", size=GIGABYTE)
    made = bulk.create(3)
    assert [one["name"] for one in bulk.get_list()] == [one["name"] for one in made]
    eventually(lambda: {one["status"] for one in bulk.get_detail()} == {"unmounted"})
    bulk.wipe()
    eventually(lambda: bulk.get_list() == [])


@pytest.mark.parametrize("method", ["basic", "session"])
def test_wrong_password_is_told(login: Login, method: str) -> None:
    with pytest.raises(errors.AuthError):
        maker(login, method, password="wrong")("Drive").list()


def test_errors_are_the_sdks_own(basic: Make) -> None:
    drives = basic("Drive")
    with pytest.raises(errors.ClientError) as unknown:
        drives.get("12345678-1234-1234-1234-123456789abc")
    assert unknown.value.status_code == 404
    assert unknown.value.request_id
    (image,) = basic("LibDrive").list()
    with pytest.raises(errors.PermissionError):
        drives.delete(image["uuid"])


def test_it_talks_to_no_service_whose_authority_it_does_not_trust(
    basic: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # what made requests trust it
    with pytest.raises(SSLError):
        basic("Drive").list()
