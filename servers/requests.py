"""What requests say of a server, its drives and its cards."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from cloudjobs.api.fields import (
    MetaField,
    ReferenceField,
    StrictBooleanField,
    StrictCharField,
    WholeNumberField,
    is_reference,
    related,
)
from keypairs.serializers import PubkeysField
from servers.models import Mount, Nic, Server
from servers.mounting import MountSpec, NicSpec
from tags.serializers import TagsField

ADDRESS_REFERENCE = {"$ref": "#/components/schemas/AddressReference"}
LARGEST_NUMBER = 2**31 - 1
LARGEST_MEMORY = 2**62


class NumberField(WholeNumberField):
    """A whole number from 1 on; the limits of a server are looked at by its action."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=kwargs.pop("max_value", LARGEST_NUMBER), **kwargs)


class AddressField(serializers.IPAddressField):
    """An IPv4 address: its text, or an object with the address as its `uuid`."""

    documented_type = "related"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(protocol="IPv4", **kwargs)

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(data["uuid"] if is_reference(data) else data)

    def to_representation(self, value: str) -> Any:
        return related("ips", value)

    def openapi(self, direction: str) -> dict[str, Any]:
        if direction == "response":
            return ADDRESS_REFERENCE
        address = {"type": "string", "format": "ipv4"}
        named = {"type": "object", "required": ["uuid"], "properties": {"uuid": address}}
        return {"anyOf": [address, named]}


class MountRequest(serializers.Serializer[Any]):
    """A drive of a server, as a request names it."""

    boot_order = WholeNumberField(
        min_value=0, max_value=1024, allow_null=True, required=False, help_text="Drive boot order"
    )
    dev_channel = serializers.RegexField(
        r"^\d{1,4}:\d{1,4}$", help_text="Channel of the device, controller:unit, e.g. 0:1"
    )
    device = serializers.ChoiceField(
        choices=Mount.Device.choices, help_text="Device emulation type"
    )
    drive = ReferenceField("drives", help_text="Drive UUID")

    def validate_dev_channel(self, value: str) -> str:
        return ":".join(str(int(number)) for number in value.split(":"))  # 0:01 is 0:1


class AddressRequest(serializers.Serializer[Any]):
    """How a public network card gets its IPv4 address."""

    conf = serializers.ChoiceField(
        choices=Nic.Conf.choices, initial=Nic.Conf.DHCP, help_text="Configuration type"
    )
    ip = AddressField(allow_null=True, required=False, help_text="The address, if it is static")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["conf"] != Nic.Conf.STATIC:
            return {"conf": attrs["conf"], "ip": None}
        if not attrs.get("ip"):
            raise serializers.ValidationError({"ip": "A static configuration has an address."})
        return attrs


class NicRequest(serializers.Serializer[Any]):
    """A network card, as a request describes it: public, or in a private network."""

    boot_order = WholeNumberField(
        min_value=0, max_value=1024, allow_null=True, required=False, help_text="Device boot order"
    )
    ip_v4_conf = AddressRequest(
        allow_null=True, required=False, help_text="Public IPv4 configuration"
    )
    mac = StrictCharField(
        max_length=17, allow_null=True, required=False, help_text="MAC address, stable"
    )
    model = serializers.ChoiceField(
        choices=Nic.Model.choices, default=Nic.Model.VIRTIO, help_text="Model of the card"
    )
    vlan = ReferenceField(
        "vlans", allow_null=True, required=False, help_text="UUID of a private network"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        public, private = attrs.get("ip_v4_conf"), attrs.get("vlan")
        if bool(public) == bool(private):
            message = "A card has either an ip_v4_conf or a vlan."
            raise serializers.ValidationError({"ip_v4_conf": message})
        return attrs


class ServerRequest(serializers.Serializer[Any]):
    """A full definition, as create and update take it. Keys that are read-only are ignored."""

    context = StrictBooleanField(  # type: ignore[assignment]  # the wire's name, DRF's property
        required=False, help_text="Guest context serial device"
    )
    cpu = NumberField(help_text="Clock speed in MHz, of all cores together")
    cpu_model = serializers.ChoiceField(
        choices=["kvm64"], allow_null=True, required=False, help_text="Virtual CPU model"
    )
    cpu_type = serializers.ChoiceField(
        choices=settings.CPU_TYPES, required=False, help_text="CPU type of the host"
    )
    cpus_instead_of_cores = StrictBooleanField(
        required=False, help_text="Show several CPUs instead of one with cores"
    )
    drives = MountRequest(many=True, required=False, help_text="Drives of the server")
    enable_numa = StrictBooleanField(required=False, help_text="Show NUMA topology")
    hv_relaxed = StrictBooleanField(required=False, help_text="For Windows guests")
    hv_tsc = StrictBooleanField(required=False, help_text="For Windows guests")
    hypervisor = serializers.ChoiceField(
        choices=["kvm"], required=False, help_text="Hypervisor on which the server runs"
    )
    mem = NumberField(max_value=LARGEST_MEMORY, help_text="Memory in bytes")
    meta = MetaField(required=False, help_text="User defined meta information")
    name = StrictCharField(max_length=255, help_text="Human readable name of the server")
    nics = NicRequest(many=True, required=False, help_text="Network cards of the server")
    pubkeys = PubkeysField(required=False)
    requirements = serializers.ListField(
        child=StrictCharField(max_length=255),
        max_length=32,
        required=False,
        help_text="Special requirements",
    )
    smp = NumberField(required=False, help_text="Number of cores")
    tags = TagsField(required=False)
    vnc_password = StrictCharField(
        max_length=64, trim_whitespace=False, help_text="Password of the VNC console"
    )

    class Meta:
        model = Server  # whose defaults the schema tells


class ServerCloneRequest(serializers.Serializer[Any]):
    """What may differ in a clone of a server; null wishes for nothing."""

    name = StrictCharField(max_length=255, required=False, allow_null=True)
    random_vnc_password = StrictBooleanField(required=False, allow_null=True)
    verify = StrictBooleanField(
        required=False,
        allow_null=True,
        help_text="Are the disks to be read again and compared with their sources?",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in attrs.items() if value is not None}


def mount_specs(given: list[dict[str, Any]] | None) -> list[MountSpec] | None:
    return None if given is None else [MountSpec(**one) for one in given]


def nic_specs(given: list[dict[str, Any]] | None) -> list[NicSpec] | None:
    return None if given is None else [nic_spec(one) for one in given]


def nic_spec(given: dict[str, Any]) -> NicSpec:
    address = given.get("ip_v4_conf") or {"conf": "", "ip": None}
    return NicSpec(
        model=given["model"],
        conf=address["conf"],
        ip=address["ip"],
        vlan=given.get("vlan"),
        mac=(given.get("mac") or "").lower(),
        boot_order=given.get("boot_order"),
    )
