"""Apache Libcloud's driver of the CloudSigma API 2.0, which speaks HTTPS only."""

from pathlib import Path
from typing import Any

import pytest
from libcloud.common.types import InvalidCredsError
from libcloud.compute.base import Node
from libcloud.compute.drivers.cloudsigma import (
    CloudSigma_2_0_NodeDriver,
    CloudSigmaDrive,
    CloudSigmaError,
    CloudSigmaNodeSize,
)
from libcloud.compute.providers import get_driver
from libcloud.compute.types import NodeState, Provider
from requests.exceptions import SSLError

from tests.clients.conftest import IMAGE, Login, first_bytes
from tests.service import Service, eventually

MEGABYTE, GIGABYTE = 1024**2, 1024**3


@pytest.fixture
def driver(login: Login) -> CloudSigma_2_0_NodeDriver:
    return driver_of(login, login.password)


@pytest.fixture
def size(driver: CloudSigma_2_0_NodeDriver) -> CloudSigmaNodeSize:
    return CloudSigmaNodeSize("own", "own", 4, 1024, 1, None, None, driver)


@pytest.fixture
def node(driver: CloudSigma_2_0_NodeDriver, size: CloudSigmaNodeSize) -> Node:
    """A node that runs, made of the library's image."""
    made = driver.create_node(name="web", size=size, image=driver.list_images()[0])
    return in_state(driver, made, NodeState.RUNNING)


def driver_of(login: Login, password: str) -> Any:
    driver = get_driver(Provider.CLOUDSIGMA)(
        login.email, password, api_version="2.0", host=login.host, port=login.port
    )
    driver.DRIVE_TRANSITION_SLEEP_INTERVAL = 0.1
    return driver


def in_state(driver: CloudSigma_2_0_NodeDriver, node: Node, state: str) -> Node:
    def there() -> Node | None:
        now = driver.ex_get_node(node.id)
        return now if now.state == state else None

    return eventually(there)


def at_rest(driver: CloudSigma_2_0_NodeDriver, drive: Any) -> CloudSigmaDrive:
    return driver._wait_for_drive_state_transition(drive, "unmounted")


def drive_of(node: Node) -> str:
    return str(node.extra["drives"][0]["drive"]["uuid"])


def test_image_of_the_library_becomes_a_running_node(
    cloud: Service,
    login: Login,
    driver: CloudSigma_2_0_NodeDriver,
    size: CloudSigmaNodeSize,
    image: Path,
) -> None:
    (offered,) = driver.list_images()
    assert offered.name == IMAGE
    key = driver.create_key_pair("mine")
    made = driver.create_node(
        name="web",
        size=size,
        image=offered,
        ex_metadata={"role": "front"},
        public_keys=[key.extra["uuid"]],
    )
    node = in_state(driver, made, NodeState.RUNNING)
    assert [each.id for each in driver.list_nodes()] == [node.id]
    assert (node.name, node.extra["meta"]) == ("web", {"role": "front"})
    assert (node.size.cpu, node.size.ram, node.size.disk) == (4, 1024, 1)
    assert node.public_ips[0].startswith("198.1")
    assert first_bytes(cloud, login, drive_of(node), image.stat().st_size) == image.read_bytes()
    keys = driver.ex_get_node(node.id, return_json=True)["pubkeys"]
    assert [one["uuid"] for one in keys] == [key.extra["uuid"]]


def test_every_size_that_the_driver_lists_can_be_made(driver: CloudSigma_2_0_NodeDriver) -> None:
    for size in driver.list_sizes():
        body = {"name": size.name, "cpu": size.cpu * 2000, "mem": size.ram * MEGABYTE}
        body["vnc_password"] = "secret"
        assert driver.connection.request("/servers/", method="POST", data=body).status == 201
    made = {(node.size.cpu, node.size.ram) for node in driver.list_nodes()}
    assert made == {(size.cpu, size.ram) for size in driver.list_sizes()}


def test_node_stops_starts_and_is_rebooted(driver: CloudSigma_2_0_NodeDriver, node: Node) -> None:
    assert driver.reboot_node(node)
    node = in_state(driver, node, NodeState.RUNNING)
    assert driver.stop_node(node)
    node = in_state(driver, node, NodeState.STOPPED)
    assert node.public_ips == []
    assert driver.start_node(node, ex_avoid=[node.id])
    in_state(driver, node, NodeState.RUNNING)


def test_node_is_cloned_and_goes_with_its_drives(
    driver: CloudSigma_2_0_NodeDriver, node: Node
) -> None:
    driver.stop_node(node)
    in_state(driver, node, NodeState.STOPPED)
    clone = driver.ex_clone_node(node)
    named = driver.ex_clone_node(node, name="other", random_vnc_password=True)
    assert [one.name for one in driver.list_nodes()] == ["web", "web", "other"]
    assert clone.extra["vnc_password"] == node.extra["vnc_password"]
    assert named.extra["vnc_password"] != node.extra["vnc_password"]
    eventually(lambda: {drive.status for drive in driver.list_volumes()} == {"mounted"})
    for each in (clone, named):
        assert driver.destroy_node(each, ex_delete_drives=True)
    eventually(lambda: [drive.id for drive in driver.list_volumes()] == [drive_of(node)])
    assert driver.destroy_node(node)
    assert driver.list_nodes() == []
    (left,) = driver.list_volumes()
    assert left.status == "unmounted"


def test_node_is_edited(driver: CloudSigma_2_0_NodeDriver, node: Node) -> None:
    driver.stop_node(node)
    node = in_state(driver, node, NodeState.STOPPED)
    wished = {"name": "bigger", "cpu": 6000, "mem": 2 * GIGABYTE}
    edited = driver.ex_edit_node(node, wished)
    assert (edited.name, edited.size.cpu, edited.size.ram) == ("bigger", 3, 2048)
    assert [one["mac"] for one in edited.extra["nics"]] == [
        one["mac"] for one in node.extra["nics"]
    ]


def test_volume_is_attached_detached_and_destroyed(
    driver: CloudSigma_2_0_NodeDriver, node: Node
) -> None:
    driver.stop_node(node)
    node = in_state(driver, node, NodeState.STOPPED)
    volume = at_rest(driver, driver.create_volume("data", 1, ex_avoid=[drive_of(node)]))
    groups = driver.ex_list_drives_availability_groups()
    assert sorted(groups) == sorted([[volume.id], [drive_of(node)]])
    assert driver.attach_volume(node, volume)
    attached = driver.ex_get_node(node.id).extra["drives"]
    assert [(one["dev_channel"], one["drive"]["uuid"]) for one in attached] == [
        ("0:0", drive_of(node)),
        ("0:1", volume.id),
    ]
    assert driver.detach_volume(node, volume)
    bigger = driver.ex_resize_drive(driver.ex_get_drive(volume.id), 2)
    assert at_rest(driver, bigger).size == 2
    copy = at_rest(driver, driver.ex_clone_drive(volume, name="copy", ex_avoid=[volume.id]))
    assert driver.destroy_volume(copy)
    eventually(lambda: len(driver.list_volumes()) == 2)


def test_nodes_are_found_by_their_tag(driver: CloudSigma_2_0_NodeDriver, node: Node) -> None:
    tag = driver.ex_create_tag("front")
    data = {"name": tag.name, "resources": [node.id]}
    driver.connection.request(f"/tags/{tag.id}/", method="PUT", data=data)
    assert driver.ex_get_tag(tag.id).resources == [node.id]
    assert [one.resources for one in driver.ex_list_tags()] == [[node.id]]
    assert [one.id for one in driver.list_nodes(ex_tag=tag)] == [node.id]
    assert driver.ex_delete_tag(tag)
    assert driver.ex_list_tags() == []


def test_key_pairs_are_made_and_imported(driver: CloudSigma_2_0_NodeDriver) -> None:
    made = driver.create_key_pair("made")
    assert made.private_key.startswith("-----BEGIN")
    imported = driver.import_key_pair_from_string("imported", made.public_key + "\n")
    assert imported.fingerprint == made.fingerprint
    assert driver.get_key_pair(made.extra["uuid"]).public_key == made.public_key
    assert [one.name for one in driver.list_key_pairs()] == ["made", "imported"]
    assert all(driver.delete_key_pair(one) for one in (made, imported))
    assert driver.list_key_pairs() == []


def test_account_and_limits_are_told(driver: CloudSigma_2_0_NodeDriver) -> None:
    assert set(driver.ex_get_balance()) == {"balance", "currency"}
    assert driver.ex_get_pricing()["objects"] == []
    assert driver.ex_get_usage()["usage"]["cpu"]["using"] == 0
    assert "amd" in driver.ex_list_capabilities()["hosts"]
    assert driver.ex_list_servers_availability_groups() == []
    assert driver.ex_list_firewall_policies() == []
    assert driver.ex_list_subscriptions() == []


def test_errors_are_the_drivers_own(login: Login, driver: CloudSigma_2_0_NodeDriver) -> None:
    with pytest.raises(InvalidCredsError):
        driver_of(login, "wrong").list_nodes()
    with pytest.raises(CloudSigmaError) as refused:
        driver.ex_create_drive("too small", 0)
    assert (refused.value.http_code, refused.value.error_point) == (400, "size")


def test_it_talks_to_no_service_whose_authority_it_does_not_trust(
    login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # what made the libraries trust it
    with pytest.raises(SSLError):
        driver_of(login, login.password).list_nodes()
