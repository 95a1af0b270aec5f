from typing import Any

import pytest
from rest_framework.test import APIClient

from servers.models import Server
from tests.wire import API, flat_schema, server_json

SCHEMA = f"{API}/servers/schema/"
PARTS = {"default", "help_text", "readonly", "required", "type"}
NO_DEFAULT = "No default provided."


@pytest.fixture
def schema(api: APIClient) -> dict[str, Any]:
    return api.get(SCHEMA).json()


def test_schema_describes_the_resource(schema: dict[str, Any]) -> None:
    assert {name: part for name, part in schema.items() if name != "fields"} == {
        "allowed_detail_http_methods": ["get", "put", "delete"],
        "allowed_list_http_methods": ["get", "delete", "post"],
        "default_format": "application/json",
        "default_limit": 20,
        "filtering": dict.fromkeys(["name", "name__contains", "tag", "uuid"], "exact"),
        "ordering": ["uuid", "name"],
    }


def inside(before: str, fields: dict[str, tuple[str, Any]]) -> dict[str, tuple[str, Any]]:
    return {f"{before}.{name}": field for name, field in fields.items()}


DRIVE_COUNTERS: dict[str, tuple[str, Any]] = {
    "bytes_read": ("integer", 0),
    "bytes_written": ("integer", 0),
    "count_flush": ("integer", 0),
    "count_read": ("integer", 0),
    "count_written": ("integer", 0),
    "total_time_ns_flush": ("integer", 0),
    "total_time_ns_read": ("integer", 0),
    "total_time_ns_write": ("integer", 0),
}
NIC_RUNTIME: dict[str, tuple[str, Any]] = {
    "interface_type": ("string", None),
    "io": ("related", None),
    "io.bytes_recv": ("integer", 0),
    "io.bytes_sent": ("integer", 0),
    "io.packets_recv": ("integer", 0),
    "io.packets_sent": ("integer", 0),
    "ip_v4": ("related", None),
    "ip_v6": ("string", None),
    "rx_foreign": ("integer", 0),
    "rx_local": ("integer", 0),
    "tx_foreign": ("integer", 0),
    "tx_local": ("integer", 0),
}
FIELDS: dict[str, tuple[str, Any]] = {
    "allocation_pool": ("string", None),
    "auto_start": ("boolean", False),
    "context": ("boolean", True),
    "cpu": ("integer", None),
    "cpu_model": ("string", None),
    "cpu_type": ("string", "amd"),
    "cpus_instead_of_cores": ("boolean", False),
    "drives": ("related", []),
    "drives.boot_order": ("integer", None),
    "drives.dev_channel": ("string", None),
    "drives.device": ("string", None),
    "drives.drive": ("related", None),
    "drives.runtime": ("related", NO_DEFAULT),
    "drives.runtime.io": ("related", None),
    **inside("drives.runtime.io", DRIVE_COUNTERS),
    "enable_numa": ("boolean", False),
    "epcs": ("related", []),
    "epcs.size": ("integer", None),
    "gpus": ("related", []),
    "gpus.gpu": ("related", NO_DEFAULT),
    "gpus.gpu.model_id": ("string", None),
    "gpus.gpu.owner": ("related", None),
    "gpus.gpu.resource_uri": ("string", NO_DEFAULT),
    "gpus.gpu.subscription": ("related", None),
    "gpus.gpu.uuid": ("string", None),
    "gpus.model": ("string", None),
    "grantees": ("list", NO_DEFAULT),
    "hv_relaxed": ("boolean", False),
    "hv_tsc": ("boolean", False),
    "hypervisor": ("string", "kvm"),
    "is_grey": ("boolean", False),
    "jobs": ("related", NO_DEFAULT),
    "mem": ("integer", None),
    "meta": ("dict", {}),
    "name": ("string", None),
    "nics": ("related", []),
    "nics.boot_order": ("integer", None),
    "nics.ip_v4_conf": ("related", None),
    "nics.ip_v4_conf.conf": ("string", "dhcp"),
    "nics.ip_v4_conf.ip": ("related", None),
    "nics.ip_v6_conf": ("related", None),
    "nics.ip_v6_conf.conf": ("string", "dhcp"),
    "nics.ip_v6_conf.ip": ("related", None),
    "nics.mac": ("string", None),
    "nics.model": ("string", None),
    "nics.runtime": ("related", NO_DEFAULT),
    **inside("nics.runtime", NIC_RUNTIME),
    "nics.vlan": ("related", None),
    "owner": ("related", None),
    "permissions": ("list", NO_DEFAULT),
    "pubkeys": ("related", []),
    "requirements": ("list", []),
    "resource_uri": ("string", NO_DEFAULT),
    "runtime": ("related", NO_DEFAULT),
    "runtime.active_since": ("string", NO_DEFAULT),
    "runtime.nics": ("related", []),
    **inside("runtime.nics", NIC_RUNTIME),
    "runtime.nics.mac": ("string", None),
    "smp": ("integer", None),
    "status": ("string", NO_DEFAULT),
    "tags": ("related", NO_DEFAULT),
    "uuid": ("string", None),
    "vnc_password": ("string", None),
}
NOT_OFFERED = {"allocation_pool", "auto_start", "epcs", "gpus", "is_grey"}
READ_ONLY = NOT_OFFERED | {
    "grantees",
    "jobs",
    "owner",
    "permissions",
    "resource_uri",
    "runtime",
    "status",
    "uuid",
}
REQUIRED = {"cpu", "jobs", "mem", "name", "owner", "resource_uri", "status", "uuid", "vnc_password"}


def test_schema_tells_types_and_defaults(schema: dict[str, Any]) -> None:
    described = flat_schema(schema["fields"])
    assert {name: (each["type"], each["default"]) for name, each in described.items()} == FIELDS


def test_schema_tells_what_can_be_written(schema: dict[str, Any]) -> None:
    fields = schema["fields"]
    assert {name for name, field in fields.items() if field["readonly"]} == READ_ONLY


def test_schema_tells_what_is_required(schema: dict[str, Any]) -> None:
    fields = schema["fields"]
    assert {name for name, field in fields.items() if field["required"]} == REQUIRED


@pytest.mark.parametrize(
    ("part", "read_only", "required"),
    [
        ("drives", {"runtime"}, {"dev_channel", "device", "drive"}),
        ("nics", {"ip_v6_conf", "runtime"}, set()),
        ("epcs", set(), {"size"}),
        ("gpus", {"gpu"}, {"model"}),
    ],
)
def test_schema_tells_the_same_of_what_a_server_consists_of(
    schema: dict[str, Any], part: str, read_only: set[str], required: set[str]
) -> None:
    fields = schema["fields"][part]["fields"]
    assert {name for name, field in fields.items() if field["readonly"]} == read_only
    assert {name for name, field in fields.items() if field["required"]} == required


def test_schema_tells_how_an_address_is_asked_for(schema: dict[str, Any]) -> None:
    fields = schema["fields"]["nics"]["fields"]["ip_v4_conf"]["fields"]
    required = {name: field["required"] for name, field in fields.items()}
    assert required == {"conf": True, "ip": False}


def test_schema_describes_each_field_alike(schema: dict[str, Any]) -> None:
    for name, field in flat_schema(schema["fields"]).items():
        assert set(field) - {"choices", "fields"} == PARTS, name
        assert field["help_text"], name


def test_schema_names_every_field_of_a_server(schema: dict[str, Any], full_server: Server) -> None:
    shown = server_json(full_server)
    assert list(schema["fields"]) == sorted(NOT_OFFERED | set(shown))
    for part in ("drives", "nics"):
        assert list(schema["fields"][part]["fields"]) == sorted(shown[part][0])


def test_schema_tells_the_choices(schema: dict[str, Any]) -> None:
    described = flat_schema(schema["fields"])
    choices = {name: each["choices"] for name, each in described.items() if "choices" in each}
    assert choices == {
        "cpu_model": ["kvm64"],
        "cpu_type": ["amd", "intel"],
        "drives.device": ["ide", "virtio", "scsi"],
        "hypervisor": ["kvm"],
        "nics.ip_v4_conf.conf": ["dhcp", "static", "manual"],
        "nics.ip_v6_conf.conf": ["dhcp", "static", "manual"],
        "nics.model": ["virtio", "e1000"],
        "nics.runtime.interface_type": ["public", "private"],
        "runtime.nics.interface_type": ["public", "private"],
    }


@pytest.mark.parametrize("asked", [{"gpus": [{"model": "x"}]}, {"epcs": [{"size": 1}]}])
def test_what_is_not_offered_is_ignored_like_all_that_is_read_only(
    api: APIClient, full_server: Server, asked: dict[str, Any]
) -> None:
    url = f"{API}/servers/{full_server.pk}/"
    before = api.get(url).json()
    response = api.put(url, before | asked, format="json")
    assert response.status_code == 200
    assert response.json() == before


def test_schema_is_for_every_user(stranger_api: APIClient, anonymous_api: APIClient) -> None:
    assert stranger_api.get(SCHEMA).status_code == 200
    assert anonymous_api.get(SCHEMA).status_code == 401
