"""The pages of servers."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User
from drives.models import Drive
from jobs.models import Job
from servers.models import Server
from tests.factories import DriveFactory, MountFactory, NicFactory, ServerFactory
from tests.html import body_of, poll, poll_address, swapped_in, text_of
from tests.wire import assert_as_many, queries_of

pytestmark = pytest.mark.usefixtures("storage")
NEW = {"name": "web-9", "cpu": "2000", "mem": "1 GiB", "vnc_password": "secret", "card": "dhcp"}


@pytest.fixture
def machine(storage: Path, owner: User) -> Server:
    server = ServerFactory(owner=owner, name="web-1")
    for _ in range(2):
        MountFactory(server=server)
    NicFactory(server=server)
    return server


def page(server: Server, action: str = "") -> str:
    return f"/servers/{server.pk}/{action}"


def status_of(server: Server) -> str:
    return Server.objects.get(pk=server.pk).status


def test_list_tells_name_status_cpu_and_memory(web: Client, machine: Server) -> None:
    assert "web-1 Stopped 1 GHz on 1 core 512 MiB" in text_of(body_of(web.get("/servers/")))


def test_page_tells_drives_and_cards(web: Client, machine: Server) -> None:
    text = text_of(body_of(web.get(page(machine))))
    assert all(mount.drive.name in text for mount in machine.mounts.all())
    assert "virtio 1:0" in text
    assert machine.nics.get().mac in text
    assert "public, DHCP" in text


def test_nothing_of_a_stranger_is_shown(stranger_web: Client, machine: Server) -> None:
    assert "web-1" not in body_of(stranger_web.get("/servers/"))
    for action in ("", "clone/", "delete/", "start/", "stop/", "shutdown/"):
        assert stranger_web.get(page(machine, action)).status_code == 404
    for action in ("clone/", "delete/", "start/"):
        assert stranger_web.post(page(machine, action)).status_code == 404
    assert status_of(machine) == "stopped"


def test_list_costs_as_many_queries_for_two_as_for_twenty(web: Client, owner: User) -> None:
    def add(count: int) -> None:
        for _ in range(count):
            MountFactory(server=NicFactory(server__owner=owner).server)

    add(2)
    few = queries_of(lambda: web.get("/servers/"))
    add(18)
    assert_as_many(few, queries_of(lambda: web.get("/servers/")))


def test_server_is_made_with_drives_and_a_card(web: Client, owner: User) -> None:
    disks = [DriveFactory(owner=owner, name=name) for name in ("a", "b")]
    disc = DriveFactory(owner=owner, media="cdrom")
    drives = [str(drive.pk) for drive in (*disks, disc)]
    response = web.post("/servers/create/", NEW | {"drives": drives})
    made = Server.objects.get(owner=owner)
    assert response["Location"] == page(made)
    places = {(m.drive_id, m.device, m.dev_channel, m.boot_order) for m in made.mounts.all()}
    assert places == {
        (disks[0].pk, "virtio", "0:0", 1),
        (disks[1].pk, "virtio", "0:1", None),
        (disc.pk, "ide", "0:0", None),
    }
    assert [nic.conf for nic in made.nics.all()] == ["dhcp"]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"cpu": "1"}, "CPU is between"),
        ({"mem": "1 B"}, "Memory is between 256 MiB and 512 GiB."),
        ({"vlan": "x"}, "Enter a valid UUID."),
        ({"vnc_password": ""}, "This field is required."),
    ],
)
def test_server_that_cannot_be_is_refused_at_its_field(
    web: Client, owner: User, changes: dict[str, str], fault: str
) -> None:
    assert fault in text_of(body_of(web.post("/servers/create/", NEW | changes)))
    assert not Server.objects.exists()


def test_only_own_drives_can_be_chosen(web: Client, owner: User) -> None:
    foreign = DriveFactory(name="secret")
    html = body_of(web.post("/servers/create/", NEW | {"drives": [str(foreign.pk)]}))
    assert "secret" not in text_of(html).replace("VNC", "")
    assert not Server.objects.exists()


def test_cd_of_several_servers_takes_one_place(
    web: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drives.forms.MOST_SHOWN", 2)
    cd = DriveFactory(owner=owner, name="a CD", media=Drive.Media.CDROM)
    for _ in range(2):
        MountFactory(server__owner=owner, drive=cd)
    DriveFactory(owner=owner, name="free disk")
    assert "free disk" in body_of(web.get("/servers/create/"))


def test_drive_that_cannot_be_mounted_is_not_offered(web: Client, owner: User) -> None:
    for status in ("unmounted", "cloning_dst", "unavailable", "uploading", "deleting"):
        DriveFactory(owner=owner, name=f"one-{status}", status=status)
    offered = text_of(body_of(web.get("/servers/create/")))
    assert re.findall(r"one-(\w+)", offered) == ["cloning_dst", "unmounted"]


def test_clone_leads_to_its_tree(web: Client, machine: Server) -> None:
    response = web.post(page(machine, "clone/"), {"name": "web-2", "random_vnc_password": "on"})
    root = Job.objects.get(parent=None)
    assert response["Location"] == f"/jobs/{root.pk}/"
    assert "Clone server web-1 → web-2" in text_of(body_of(web.get(response["Location"])))
    assert Server.objects.get(name="web-2").vnc_password != machine.vnc_password


def test_refused_clone_is_told(web: Client, machine: Server) -> None:
    Server.objects.filter(pk=machine.pk).update(status="running")
    text = text_of(body_of(web.post(page(machine, "clone/"), {})))
    assert "stop it first" in text


def test_start_shows_at_once_and_the_page_follows(
    web: Client, machine: Server, run_jobs: Callable[[], None]
) -> None:
    response = web.post(page(machine, "start/"))
    assert response["Location"] == page(machine)
    html = body_of(web.get(page(machine)))
    assert "Starting" in text_of(html)
    run_jobs()
    answer = body_of(poll(web, html))
    assert "Running" in text_of(answer)
    assert "server-head" in swapped_in(answer)
    assert poll_address(answer) == ""


@pytest.mark.parametrize("action", ["stop", "shutdown"])
def test_running_server_is_stopped(
    web: Client, machine: Server, run_jobs: Callable[[], None], action: str
) -> None:
    Server.objects.filter(pk=machine.pk).update(status="running")
    assert "web-1?" in text_of(body_of(web.get(page(machine, f"{action}/"))))
    web.post(page(machine, f"{action}/"))
    assert status_of(machine) == "stopping"
    run_jobs()
    assert status_of(machine) == "stopped"


def test_refused_start_is_told(web: Client, machine: Server) -> None:
    Server.objects.filter(pk=machine.pk).update(status="running")
    response = web.post(page(machine, "start/"), follow=True)
    assert "The server is running, not stopped." in text_of(body_of(response))


@pytest.mark.parametrize(("recurse", "left"), [("", 2), ("disks", 0), ("cdroms", 2)])
def test_server_is_deleted_with_the_drives_that_are_named(
    web: Client, machine: Server, run_jobs: Callable[[], None], recurse: str, left: int
) -> None:
    assert web.post(page(machine, "delete/"), {"recurse": recurse})["Location"] == "/servers/"
    run_jobs()
    assert not Server.objects.exists()
    assert Drive.objects.count() == left


def test_deletion_with_nonsense_deletes_nothing(web: Client, machine: Server) -> None:
    html = body_of(web.post(page(machine, "delete/"), {"recurse": "everything"}))
    assert "Select a valid choice" in html
    assert Server.objects.count() == 1
