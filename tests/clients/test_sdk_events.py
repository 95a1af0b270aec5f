"""CloudSigma's own SDK for Python, as it waits for events over TLS."""

from collections.abc import Iterator

import pytest
from cloudsigma.conf import config
from cloudsigma.errors import ClientError
from cloudsigma.resource import Drive, Jobs, Websocket

from tests.clients.conftest import Login
from tests.service import Service

DISK = {"name": "data", "size": 1024**3, "media": "disk"}
PATIENCE = 30  # seconds


@pytest.fixture
def listening(cloud: Service, login: Login, monkeypatch: pytest.MonkeyPatch) -> Iterator[Websocket]:
    """A web socket of the SDK, which takes all that it needs from its configuration."""
    if cloud.events is None:
        cloud.start_events()
    said = {
        "api_endpoint": login.api,
        "ws_endpoint": cloud.events_url,
        "username": login.email,
        "password": login.password,
    }
    for name, value in said.items():
        monkeypatch.setitem(config, name, value)
    monkeypatch.setenv("WEBSOCKET_CLIENT_CA_BUNDLE", str(login.authority))
    socket = Websocket(timeout=PATIENCE)
    yield socket
    socket.ws.conn.close()


def test_clone_is_waited_for_by_its_status(listening: Websocket) -> None:
    made = Drive().create(DISK)
    source = listening.wait_for_status(made["resource_uri"], Drive, "unmounted")
    clone = Drive().clone(source["uuid"])
    done = listening.wait_for_status(clone["resource_uri"], Drive, "unmounted")
    assert done["uuid"] == clone["uuid"]
    assert Jobs().get(clone["jobs"][0]["uuid"])["state"] == "success"


def test_job_is_waited_for_by_its_kind(listening: Websocket) -> None:
    made = Drive().create(DISK)
    listening.wait_for_status(made["resource_uri"], Drive, "unmounted")
    clone = Drive().clone(made["uuid"])
    assert listening.wait_obj_type("jobs", Jobs)["uuid"] == clone["jobs"][0]["uuid"]


def test_deleted_drive_is_found_to_be_gone(listening: Websocket) -> None:
    made = Drive().create(DISK)
    listening.wait_for_status(made["resource_uri"], Drive, "unmounted")
    Drive().delete(made["uuid"])
    with pytest.raises(ClientError, match="notexist"):
        listening.wait_for_status(made["resource_uri"], Drive, "never")
