"""What a clone is like at once, and what a request for one does or leaves."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from jobs.models import Job
from servers.models import Nic, Server
from tests.conftest import Unchanged
from tests.factories import MIB, MountFactory, NicFactory, ServerFactory
from tests.wire import API, faults_of, related_json, server_json


def path(server: Server) -> str:
    return f"{API}/servers/{server.pk}/"


def clone(
    api: APIClient, server: Server, body: dict[str, Any] | None = None, query: str = ""
) -> Any:
    return api.post(f"{path(server)}action/?do=clone{query}", body or {})


def clone_of(server: Server) -> Server:
    return Server.objects.exclude(pk=server.pk).get(owner=server.owner)


def drives_of(body: dict[str, Any]) -> dict[tuple[str, str], str]:
    """Return the uuid of the drive on each channel."""
    return {(one["device"], one["dev_channel"]): one["drive"]["uuid"] for one in body["drives"]}


def hosts_of(server: Server) -> set[str]:
    return set(Drive.objects.filter(mounts__server=server).values_list("storage_host", flat=True))


def configure_host(settings: Settings, name: str, **options: Any) -> None:
    """Give a storage host these options, such as the bytes that all on it may take up."""
    hosts = settings.STORAGE_HOSTS
    hosts[name]["options"].update(options)
    settings.STORAGE_HOSTS = dict(hosts)


def test_clone_without_wishes_is_like_its_source(api: APIClient, full_server: Server) -> None:
    before = api.get(path(full_server)).json()
    response = api.post(f"{path(full_server)}action/?do=clone")
    assert response.status_code == 202
    copy, root = clone_of(full_server), Job.objects.roots().get()
    body = response.json()
    assert body == server_json(
        full_server,
        drives=body["drives"],
        jobs=[related_json("jobs", root.pk)],
        nics=body["nics"],
        resource_uri=path(copy),
        uuid=str(copy.pk),
    )
    assert api.get(path(copy)).json() == body
    assert api.get(path(full_server)).json() == before | {"jobs": body["jobs"]}


def test_every_field_of_the_machine_is_copied(api: APIClient, owner: User) -> None:
    machine = {
        "context": False,
        "cpu": 4000,
        "cpu_model": "kvm64",
        "cpu_type": "intel",
        "cpus_instead_of_cores": True,
        "enable_numa": True,
        "hv_relaxed": True,
        "hv_tsc": True,
        "mem": 768 * MIB,
        "meta": {"k": "v"},
        "requirements": ["x"],
        "smp": 4,
        "vnc_password": "own",
    }
    source = ServerFactory(owner=owner, **machine)
    body = clone(api, source).json()
    assert {name: body[name] for name in machine} == machine


def test_disks_are_new_drives_in_the_same_places(
    api: APIClient, full_server: Server, disks: list[Drive], cd: Drive
) -> None:
    before = api.get(path(full_server)).json()["drives"]
    body = clone(api, full_server).json()
    shown = [one | {"drive": None} for one in body["drives"]]
    assert shown == [one | {"drive": None} for one in before]
    drives = drives_of(body)
    assert drives["ide", "0:0"] == str(cd.pk)
    for channel, disk in zip(("0:0", "0:1"), disks, strict=True):
        copy = Drive.objects.get(pk=drives["virtio", channel])
        assert copy != disk
        assert (copy.name, copy.size, copy.status) == (disk.name, disk.size, "cloning_dst")
        assert Drive.objects.get(pk=disk.pk).status == "cloning_src"


def test_cd_is_shared(api: APIClient, full_server: Server, cd: Drive) -> None:
    clone(api, full_server)
    shown = api.get(f"{API}/drives/{cd.pk}/").json()
    assert (shown["status"], shown["jobs"]) == ("mounted", [])
    both = {str(server.pk) for server in Server.objects.all()}
    assert {one["uuid"] for one in shown["mounted_on"]} == both


def test_disk_that_may_be_shared_is_cloned_all_the_same(api: APIClient, server: Server) -> None:
    mount = MountFactory(server=server, drive__allow_multimount=True)
    (uuid,) = drives_of(clone(api, server).json()).values()
    assert uuid != str(mount.drive_id)
    assert Drive.objects.get(pk=uuid).allow_multimount


def test_cards_get_new_addresses_and_dhcp(api: APIClient, full_server: Server) -> None:
    old = api.get(path(full_server)).json()["nics"]
    new = clone(api, full_server).json()["nics"]
    assert not {nic["mac"] for nic in old} & {nic["mac"] for nic in new}
    assert all(nic["mac"].startswith("22:") for nic in new)
    dhcp = {"ip_v4_conf": {"conf": "dhcp", "ip": None}}
    assert new == [nic | dhcp | {"mac": fresh["mac"]} for nic, fresh in zip(old, new, strict=True)]


def test_private_card_stays_in_its_network(api: APIClient, server: Server, owner: User) -> None:
    NicFactory(server=server, conf="", vlan=owner.pk)
    (nic,) = clone(api, server).json()["nics"]
    assert nic["ip_v4_conf"] is None
    assert nic["vlan"] == related_json("vlans", owner.pk)


def test_password_stays_unless_another_is_wished(api: APIClient, server: Server) -> None:
    bodies: list[dict[str, Any]] = [{}, {"random_vnc_password": False}]
    assert [clone(api, server, one).json()["vnc_password"] for one in bodies] == ["secret"] * 2
    wishes = {"random_vnc_password": True}
    drawn = {clone(api, server, wishes).json()["vnc_password"] for _ in range(3)}
    assert len(drawn) == 3
    assert all(len(one) == 8 and one.isalnum() for one in drawn)


def test_null_wishes_for_nothing(api: APIClient, server: Server) -> None:
    body = clone(api, server, {"name": None, "random_vnc_password": None}).json()
    assert (body["name"], body["vnc_password"]) == (server.name, "secret")


def test_definition_may_be_sent_back_and_only_its_name_counts(
    api: APIClient, full_server: Server
) -> None:
    got = api.get(path(full_server)).json()
    body = clone(api, full_server, got | {"name": "other", "cpu": 5000}).json()
    assert (body["name"], body["cpu"]) == ("other", got["cpu"])
    assert len(body["drives"]) == 3


def test_clone_goes_where_there_is_more_room(api: APIClient, full_server: Server) -> None:
    clone(api, full_server)
    assert hosts_of(clone_of(full_server)) == {"dssd-1", "dssd-2"}  # the first has the CD


def test_host_of_an_avoided_server_is_left_alone(
    api: APIClient, full_server: Server, owner: User
) -> None:
    other = MountFactory(server__owner=owner, drive__storage_host="dssd-2")
    answer = clone(api, full_server, query=f"&avoid={other.server_id}")
    assert hosts_of(Server.objects.get(pk=answer.json()["uuid"])) == {"dssd-1"}


def test_host_of_an_avoided_drive_is_left_alone(
    api: APIClient, full_server: Server, owner: User
) -> None:
    other = MountFactory(server__owner=owner, drive__storage_host="dssd-2")
    answer = clone(api, full_server, query=f"&avoid={other.drive_id}")
    assert hosts_of(Server.objects.get(pk=answer.json()["uuid"])) == {"dssd-1"}


def test_servers_and_drives_of_others_are_not_avoided(
    api: APIClient, full_server: Server, stranger: User
) -> None:
    foreign = MountFactory(server__owner=stranger, drive__storage_host="dssd-2")
    clone(api, full_server, query=f"&avoid={foreign.server_id},{foreign.drive_id}")
    assert hosts_of(clone_of(full_server)) == {"dssd-1", "dssd-2"}


def test_clone_is_cloned_once_it_is_whole(
    api: APIClient, full_server: Server, run_jobs: Callable[[], None], unchanged: Unchanged
) -> None:
    clone(api, full_server)
    copy = clone_of(full_server)
    with unchanged():
        early = clone(api, copy)
    assert early.status_code == 403
    assert faults_of(early) == [("permission", "status")]
    run_jobs()
    body = clone(api, copy).json()
    assert len(body["drives"]) == 3
    assert len(api.get(path(copy)).json()["jobs"]) == 2
    run_jobs()
    assert set(Drive.objects.values_list("status", flat=True)) == {"mounted"}


def test_second_clone_may_read_at_the_same_time(
    api: APIClient, full_server: Server, run_jobs: Callable[[], None]
) -> None:
    answers = [clone(api, full_server) for _ in range(3)]
    assert [one.status_code for one in answers] == [202] * 3
    jobs = [one.json()["jobs"][0] for one in answers]
    assert api.get(path(full_server)).json()["jobs"] == jobs
    run_jobs()
    assert {api.get(job["resource_uri"]).json()["state"] for job in jobs} == {"success"}
    assert set(Drive.objects.values_list("status", flat=True)) == {"mounted"}


@pytest.mark.parametrize("status", ["starting", "running", "stopping"])
def test_server_at_work_is_not_cloned(
    api: APIClient, full_server: Server, unchanged: Unchanged, status: str
) -> None:
    Server.objects.update(status=status)
    with unchanged():
        response = clone(api, full_server)
    assert response.status_code == 403
    assert faults_of(response) == [("permission", "status")]


@pytest.mark.parametrize("status", ["creating", "cloning_dst", "resizing", "unavailable"])
@pytest.mark.parametrize("which", [0, 1])
def test_disk_that_cannot_be_cloned_leaves_nothing(
    api: APIClient,
    full_server: Server,
    disks: list[Drive],
    unchanged: Unchanged,
    status: str,
    which: int,
) -> None:
    Drive.objects.filter(pk=disks[which].pk).update(status=status)
    with unchanged():
        response = clone(api, full_server)
    assert response.status_code == 403
    assert faults_of(response) == [("permission", "status")]


def test_disk_in_use_by_another_server_leaves_nothing(
    api: APIClient, owner: User, server: Server, unchanged: Unchanged
) -> None:
    mount = MountFactory(server=server, drive__allow_multimount=True)
    MountFactory(server=ServerFactory(owner=owner, status="running"), drive=mount.drive)
    with unchanged():
        response = clone(api, server)
    assert response.status_code == 403
    assert faults_of(response) == [("permission", "status")]


def test_disk_without_an_image_leaves_nothing(
    api: APIClient, full_server: Server, disks: list[Drive], storage: Path, unchanged: Unchanged
) -> None:
    (storage / "dssd-1" / f"{disks[1].pk}.raw").unlink()
    with unchanged():
        response = clone(api, full_server)
    assert response.status_code == 503
    assert faults_of(response) == [("backend", None)]


def test_disks_that_do_not_fit_together_leave_nothing(
    api: APIClient, full_server: Server, settings: Settings, unchanged: Unchanged
) -> None:
    configure_host(settings, "dssd-1", capacity=7 * MIB + MIB // 2)  # 4 MiB lie there already
    configure_host(settings, "dssd-2", capacity=MIB // 2)
    with unchanged():
        response = clone(api, full_server)
    assert response.status_code == 503
    assert faults_of(response) == [("backend", None)]


def test_disks_on_volumes_of_their_own_do_not_compete(
    api: APIClient, server: Server, settings: Settings, run_jobs: Callable[[], None]
) -> None:
    with TemporaryDirectory(dir="/dev/shm") as memory:
        configure_host(settings, "nvme-1", capacity=5 * MIB, root=memory)
        for unit, host in enumerate(("dssd-1", "nvme-1")):
            disk = {"drive__storage_host": host, "drive__image": b"x" * 2 * MIB}
            MountFactory(server=server, dev_channel=f"0:{unit}", **disk)
        assert clone(api, server).status_code == 202
        run_jobs()
        assert set(Drive.objects.values_list("status", flat=True)) == {"mounted"}


def test_stranger_and_anonymous_clone_nothing(
    stranger_api: APIClient,
    anonymous_api: APIClient,
    full_server: Server,
    unchanged: Unchanged,
) -> None:
    answers = ((stranger_api, 404, "notexist"), (anonymous_api, 401, "permission"))
    for client, status, error_type in answers:
        with unchanged():
            response = clone(client, full_server)
        assert response.status_code == status
        assert faults_of(response) == [(error_type, None)]


def test_cards_keep_their_order(api: APIClient, server: Server) -> None:
    for boot_order in (3, 1, 2):
        NicFactory(server=server, boot_order=boot_order)
    body = clone(api, server).json()
    assert [nic["boot_order"] for nic in body["nics"]] == [3, 1, 2]
    assert Nic.objects.count() == 6
