from typing import Any

import pytest
from rest_framework.test import APIClient

from servers.models import Server
from tests.wire import API, server_json

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
        "filtering": {"name": "exact", "name__contains": "exact", "uuid": "exact"},
        "ordering": ["uuid", "name"],
    }


def test_schema_names_every_field_of_a_server(schema: dict[str, Any], full_server: Server) -> None:
    shown = server_json(full_server)
    assert list(schema["fields"]) == sorted(shown)
    for part in ("drives", "nics"):
        assert sorted(schema["fields"][part]["fields"]) == sorted(shown[part][0])
    for field in schema["fields"].values():
        assert set(field) - {"choices", "fields"} == PARTS
        assert field["help_text"]


@pytest.mark.parametrize(
    ("name", "type_name", "readonly", "required"),
    [
        ("context", "boolean", False, False),
        ("cpu", "integer", False, True),
        ("cpu_model", "string", False, False),
        ("cpu_type", "string", False, False),
        ("cpus_instead_of_cores", "boolean", False, False),
        ("drives", "related", False, False),
        ("enable_numa", "boolean", False, False),
        ("grantees", "list", None, None),
        ("hv_relaxed", "boolean", False, False),
        ("hv_tsc", "boolean", False, False),
        ("hypervisor", "string", False, False),
        ("jobs", "related", True, True),
        ("mem", "integer", False, True),
        ("meta", "dict", False, False),
        ("name", "string", False, True),
        ("nics", "related", False, False),
        ("owner", "related", True, True),
        ("permissions", "list", None, None),
        ("pubkeys", "related", None, None),
        ("requirements", "list", False, False),
        ("resource_uri", "string", True, True),
        ("runtime", "related", True, None),
        ("smp", "integer", False, False),
        ("status", "string", True, None),
        ("tags", "related", None, None),
        ("uuid", "string", True, True),
        ("vnc_password", "string", False, True),
    ],
)
def test_schema_describes_the_field(
    schema: dict[str, Any], name: str, type_name: str, readonly: bool | None, required: bool | None
) -> None:
    """None leaves open what this installation decides."""
    field = schema["fields"][name]
    assert field["type"] == type_name
    assert readonly in {None, field["readonly"]}
    assert required in {None, field["required"]}


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("context", True),
        ("cpu", None),
        ("cpu_model", None),
        ("cpu_type", "amd"),
        ("cpus_instead_of_cores", False),
        ("drives", []),
        ("enable_numa", False),
        ("grantees", NO_DEFAULT),
        ("hv_relaxed", False),
        ("hv_tsc", False),
        ("hypervisor", "kvm"),
        ("jobs", NO_DEFAULT),
        ("mem", None),
        ("meta", {}),
        ("name", None),
        ("nics", []),
        ("permissions", NO_DEFAULT),
        ("pubkeys", []),
        ("requirements", []),
        ("resource_uri", NO_DEFAULT),
        ("runtime", NO_DEFAULT),
        ("smp", None),
        ("status", NO_DEFAULT),
        ("tags", NO_DEFAULT),
        ("vnc_password", None),
    ],
)
def test_schema_tells_the_default(schema: dict[str, Any], name: str, default: Any) -> None:
    assert schema["fields"][name]["default"] == default


def test_schema_tells_the_choices(schema: dict[str, Any]) -> None:
    fields = schema["fields"]
    choices = {name: field["choices"] for name, field in fields.items() if "choices" in field}
    assert choices == {
        "cpu_model": ["kvm64"],
        "cpu_type": ["amd", "intel"],
        "hypervisor": ["kvm"],
    }
    assert fields["drives"]["fields"]["device"]["choices"] == ["ide", "virtio", "scsi"]
    nic = fields["nics"]["fields"]
    assert nic["model"]["choices"] == ["virtio", "e1000"]
    assert nic["ip_v4_conf"]["fields"]["conf"]["choices"] == ["dhcp", "static", "manual"]


@pytest.mark.parametrize(
    ("part", "name", "type_name", "readonly", "required"),
    [
        ("drives", "boot_order", "integer", False, False),
        ("drives", "dev_channel", "string", False, True),
        ("drives", "device", "string", False, True),
        ("drives", "drive", "related", False, True),
        ("drives", "runtime", "related", True, None),
        ("nics", "boot_order", "integer", False, False),
        ("nics", "ip_v4_conf", "related", False, False),
        ("nics", "ip_v6_conf", "related", None, None),
        ("nics", "mac", "string", False, None),
        ("nics", "model", "string", False, False),
        ("nics", "runtime", "related", True, None),
        ("nics", "vlan", "related", False, False),
    ],
)
def test_schema_describes_what_a_server_consists_of(
    schema: dict[str, Any],
    part: str,
    name: str,
    type_name: str,
    readonly: bool | None,
    required: bool | None,
) -> None:
    """None leaves open what this installation decides."""
    field = schema["fields"][part]["fields"][name]
    assert field["type"] == type_name
    assert readonly in {None, field["readonly"]}
    assert required in {None, field["required"]}
    assert field["help_text"]


def test_schema_describes_an_address(schema: dict[str, Any]) -> None:
    fields = schema["fields"]["nics"]["fields"]["ip_v4_conf"]["fields"]
    shown = {name: (field["type"], field["required"]) for name, field in fields.items()}
    assert shown == {"conf": ("string", True), "ip": ("related", False)}


def types_of(field: dict[str, Any]) -> dict[str, str]:
    """Return the type of each field inside one."""
    return {name: inner["type"] for name, inner in field["fields"].items()}


NIC_RUNTIME = {
    "interface_type": "string",
    "io": "related",
    "ip_v4": "related",
    "ip_v6": "string",
}
NIC_TRAFFIC = dict.fromkeys(("bytes_recv", "bytes_sent", "packets_recv", "packets_sent"), "integer")


def test_schema_describes_the_runtime(schema: dict[str, Any]) -> None:
    runtime = schema["fields"]["runtime"]
    assert types_of(runtime) == {"active_since": "datetime", "nics": "related"}
    assert runtime["fields"]["nics"]["default"] == []
    assert types_of(runtime["fields"]["nics"]) == NIC_RUNTIME | {"mac": "string"}


def test_schema_describes_what_a_card_does(schema: dict[str, Any]) -> None:
    runtime = schema["fields"]["nics"]["fields"]["runtime"]
    assert types_of(runtime) == NIC_RUNTIME
    assert runtime["fields"]["interface_type"]["choices"] == ["public", "private"]
    assert types_of(runtime["fields"]["io"]) == NIC_TRAFFIC


def test_schema_describes_what_a_drive_does(schema: dict[str, Any]) -> None:
    runtime = schema["fields"]["drives"]["fields"]["runtime"]
    assert types_of(runtime) == {"io": "related"}
    assert set(types_of(runtime["fields"]["io"]).values()) == {"integer"}
    assert sorted(runtime["fields"]["io"]["fields"]) == [
        "bytes_read",
        "bytes_written",
        "count_flush",
        "count_read",
        "count_written",
        "total_time_ns_flush",
        "total_time_ns_read",
        "total_time_ns_write",
    ]


def test_schema_is_for_every_user(stranger_api: APIClient, anonymous_api: APIClient) -> None:
    assert stranger_api.get(SCHEMA).status_code == 200
    assert anonymous_api.get(SCHEMA).status_code == 401
