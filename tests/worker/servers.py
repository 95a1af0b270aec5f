"""What a person does with servers, through the API of a running service."""

from typing import Any

import httpx

MIB = 1024**2
MACHINE = {"cpu": 1000, "mem": 512 * MIB, "vnc_password": "secret"}


def make_server(api: httpx.Client, name: str, disks: list[str], cd: str | None = None) -> str:
    """Make a server with these drives and return its uuid."""
    drives = [
        {"drive": uuid, "device": "virtio", "dev_channel": f"0:{unit}"}
        for unit, uuid in enumerate(disks)
    ]
    if cd:
        drives.append({"drive": cd, "device": "ide", "dev_channel": "0:0"})
    answer = api.post("/servers/", json=MACHINE | {"name": name, "drives": drives})
    assert answer.status_code == 201, answer.text
    return answer.json()["objects"][0]["uuid"]


def clone_server(api: httpx.Client, uuid: str) -> dict[str, Any]:
    answer = api.post(f"/servers/{uuid}/action/", params={"do": "clone"})
    assert answer.status_code == 202, answer.text
    return answer.json()


def drives_of(server: dict[str, Any]) -> dict[tuple[str, str], str]:
    """Return the uuid of the drive on each channel of a server."""
    return {(m["device"], m["dev_channel"]): m["drive"]["uuid"] for m in server["drives"]}
