from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.factories import GIB, MIB
from tests.wire import API, faults_of

CAPABILITIES = f"{API}/capabilities/"
LIMITS = {
    "cpu": {"min": 250, "max": 96_000},
    "cpu_per_smp": {"min": 250, "max": 3000},
    "mem": {"min": 256 * MIB, "max": 512 * GIB},
    "smp": {"min": 1, "max": 32},
}
SIZES = {
    "min_size": 512 * MIB,
    "max_size": 64 * GIB,
    "size": {"min": 512 * MIB, "max": 64 * GIB},
}


def test_capabilities_tell_the_limits(api: APIClient) -> None:
    response = api.get(f"{CAPABILITIES}?limit=0")
    assert response.status_code == 200
    assert response.json() == {
        "default_storage_type": "dssd",
        "drives": {"dssd": SIZES, "nvme": SIZES, "zadara": SIZES},
        "hosts": {"amd": LIMITS, "intel": LIMITS},
        "hypervisors": {"kvm": ["amd", "intel"]},
        "servers": {
            **LIMITS,
            "default_start_method": "regular",
            "start_methods": ["regular"],
        },
    }


def test_capabilities_follow_the_settings(api: APIClient, settings: Settings) -> None:
    settings.SERVER_LIMITS = LIMITS | {"smp": {"min": 1, "max": 4}}
    settings.CPU_TYPES = ["amd"]
    hosts: dict[str, Any] = settings.STORAGE_HOSTS
    settings.STORAGE_HOSTS = {"zadara-1": hosts["zadara-1"] | {"min_size": GIB}}
    body = api.get(CAPABILITIES).json()
    assert body["servers"]["smp"] == body["hosts"]["amd"]["smp"] == {"min": 1, "max": 4}
    assert list(body["hosts"]) == body["hypervisors"]["kvm"] == ["amd"]
    assert body["default_storage_type"] == "zadara"
    assert list(body["drives"]) == ["zadara"]
    assert body["drives"]["zadara"]["size"] == {"min": GIB, "max": 64 * GIB}


def test_limits_of_the_settings_hold(api: APIClient, settings: Settings) -> None:
    settings.SERVER_LIMITS = LIMITS | {"smp": {"min": 1, "max": 4}}
    body = {"cpu": 5000, "mem": GIB, "name": "x", "vnc_password": "x"}
    assert api.post(f"{API}/servers/", body | {"smp": 4}).status_code == 201
    response = api.post(f"{API}/servers/", body | {"smp": 5})
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "smp")]


def test_schema_has_no_fields(api: APIClient) -> None:
    schema = api.get(f"{CAPABILITIES}schema/").json()
    assert schema.pop("help_text")
    assert schema == {"allowed_methods": ["get"]}


def test_capabilities_are_for_every_user(stranger_api: APIClient, anonymous_api: APIClient) -> None:
    assert stranger_api.get(CAPABILITIES).status_code == 200
    assert anonymous_api.get(CAPABILITIES).status_code == 401


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_capabilities_are_only_read(api: APIClient, method: str) -> None:
    response = getattr(api, method)(CAPABILITIES)
    assert response.status_code == 405
    assert faults_of(response) == [("validation", None)]
