"""Definitions of servers as requests carry them."""

import json
from typing import Any

from rest_framework.test import APIClient

from drives.models import Drive
from tests.factories import MIB
from tests.wire import API

DEFINITION = {"cpu": 2000, "mem": 512 * MIB, "name": "new", "vnc_password": "secret"}

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def with_drive(**parts: Any) -> dict[str, Any]:
    place = {"dev_channel": "0:0", "device": "virtio", "drive": UNKNOWN}
    return {"drives": [place | parts]}


def with_nic(**parts: Any) -> dict[str, Any]:
    return {"nics": [{"ip_v4_conf": {"conf": "dhcp"}} | parts]}


def send(api: APIClient, method: str, path: str, body: Any) -> Any:
    """Send the body as it is, even what the client's own encoder would refuse."""
    return api.generic(method, f"{API}/{path}", json.dumps(body), content_type="application/json")


def place(drive: Drive, **parts: Any) -> dict[str, Any]:
    return {"dev_channel": "0:0", "device": "virtio", "drive": str(drive.pk), **parts}
