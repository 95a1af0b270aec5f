"""The server's JSON, and what requests say of a server."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from cloudjobs.api.fields import (
    EmptyListField,
    MetaField,
    MethodField,
    NarrowedFields,
    NothingField,
    Reference,
    ReferenceField,
    ResourceUriField,
    StrictBooleanField,
    StrictCharField,
    WholeNumberField,
    WireDateTimeField,
    WordField,
    is_reference,
    related,
)
from cloudjobs.api.schema import NO_DEFAULT
from keypairs.serializers import PubkeysField
from servers.hypervisor import hypervisor
from servers.models import Mount, Nic, Server
from servers.mounting import MountSpec, NicSpec
from servers.querysets import KIND
from tags.serializers import TagsField

ADDRESS_REFERENCE = {"$ref": "#/components/schemas/AddressReference"}
LARGEST_NUMBER = 2**31 - 1
LARGEST_MEMORY = 2**62
DRIVE_COUNTERS = (
    "bytes_read",
    "bytes_written",
    "count_flush",
    "count_read",
    "count_written",
    "total_time_ns_flush",
    "total_time_ns_read",
    "total_time_ns_write",
)
NIC_COUNTERS = ("bytes_recv", "bytes_sent", "packets_recv", "packets_sent")


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


class TrafficSerializer(serializers.Serializer[Any]):
    """Counters of a drive or a card that runs; no hypervisor counts yet, so they stay 0."""

    def __init__(self, component_name: str, counters: tuple[str, ...], **kwargs: Any) -> None:
        self.component_name, self.counters = component_name, counters
        super().__init__(
            source="*",
            read_only=True,
            allow_null=True,
            default=None,
            help_text="Traffic so far",
            **kwargs,
        )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            name: serializers.IntegerField(default=0, help_text=name.replace("_", " "))
            for name in self.counters
        }

    def to_representation(self, instance: Any) -> dict[str, int]:
        return dict.fromkeys(self.counters, 0)


class WhileRunning(serializers.Serializer[Any]):
    """What a part of a server does, null while the server is stopped."""

    def to_representation(self, instance: Mount | Nic) -> Any:
        return super().to_representation(instance) if instance.server.active_since else None


class MountRuntimeSerializer(WhileRunning):
    io = TrafficSerializer("DriveTraffic", DRIVE_COUNTERS)


class NicRuntimeSerializer(WhileRunning):
    interface_type = serializers.ChoiceField(
        choices=["public", "private"],
        read_only=True,
        default=None,
        help_text="Network of the card",
    )
    io = TrafficSerializer("NicTraffic", NIC_COUNTERS)
    ip_v4 = MethodField("related", allow_null=True, default=None, help_text="Public IPv4 address")
    ip_v6 = NothingField("string", default=None, help_text="There is no IPv6")

    @extend_schema_field({"oneOf": [ADDRESS_REFERENCE, {"type": "null"}]})
    def get_ip_v4(self, nic: Nic) -> Reference | None:
        address = hypervisor().address_of(nic)
        return related("ips", address) if address else None


class MountSerializer(MountRequest):
    """A drive of a server."""

    drive = ReferenceField("drives", source="drive_id", help_text="Drive UUID")
    runtime = MountRuntimeSerializer(
        source="*", read_only=True, allow_null=True, help_text="Traffic of a server that runs"
    )


class AddressSerializer(AddressRequest):
    """How a card gets its IPv4 address, null for one in a private network."""

    def to_representation(self, instance: Nic) -> Any:
        return super().to_representation(instance) if instance.conf else None


class NicSerializer(NicRequest):
    """A network card of a server."""

    ip_v4_conf = AddressSerializer(
        source="*", allow_null=True, required=False, help_text="Public IPv4 configuration"
    )
    ip_v6_conf = NothingField(default=None, help_text="There is no IPv6")
    runtime = NicRuntimeSerializer(
        source="*", read_only=True, allow_null=True, help_text="Address and traffic while it runs"
    )


class NamedNicRuntimeSerializer(NicRuntimeSerializer):
    mac = serializers.CharField(read_only=True, default=None, help_text="MAC address of the card")


class ServerRuntimeSerializer(serializers.Serializer[Server]):
    """What a running server does."""

    active_since = WireDateTimeField(read_only=True, help_text="When it was started")
    nics = NamedNicRuntimeSerializer(many=True, default=list, help_text="Its network cards")


class RuntimeField(ServerRuntimeSerializer):
    """The runtime, null while the server is stopped."""

    component_name = "ServerRuntime"

    def to_representation(self, instance: Server) -> Any:
        return super().to_representation(instance) if instance.active_since else None


class RuntimeSerializer(ServerRuntimeSerializer):
    """The runtime by itself: always an object, without cards while the server is stopped."""

    component_name = "BareServerRuntime"
    active_since = WireDateTimeField(
        read_only=True, allow_null=True, help_text="When it was started"
    )

    def to_representation(self, instance: Server) -> Any:
        if instance.active_since:
            return super().to_representation(instance)
        return {"active_since": None, "nics": []}


class ServerSerializer(NarrowedFields, ServerRequest):
    """A server in full; expects its parts fetched, `visible_jobs` and `visible_tags` on it."""

    drives = MountSerializer(
        source="mounts", many=True, default=list, help_text="Drives of the server"
    )
    grantees = EmptyListField("list", help_text="Users who may use the server")
    jobs = serializers.SerializerMethodField(help_text="Background jobs related to this server")
    nics = NicSerializer(many=True, default=list, help_text="Network cards of the server")
    owner = serializers.SerializerMethodField(default=None, help_text="Owner of the server")
    permissions = EmptyListField("list", help_text="What the user who asks may do")
    pubkeys = PubkeysField(default=list)
    resource_uri = ResourceUriField(KIND, help_text="The path of this server")
    runtime = RuntimeField(
        source="*", read_only=True, allow_null=True, help_text="What a running server does"
    )
    smp = NumberField(default=None, help_text="Number of cores; as few as carry the speed")
    status = WordField(Server.Status, help_text="Status of the server")
    tags = TagsField(source="visible_tags", default=NO_DEFAULT)  # documented as having none
    uuid = serializers.UUIDField(read_only=True, default=None, help_text="UUID of the server")

    def get_jobs(self, server: Any) -> list[Reference]:
        return [related("jobs", uuid) for uuid in server.visible_jobs]

    def get_owner(self, server: Server) -> Reference:
        return related("user", server.owner_id)


class ShortServerSerializer(NarrowedFields):
    """A server as the plain list shows it."""

    name = serializers.CharField(read_only=True)
    owner = serializers.SerializerMethodField()
    resource_uri = ResourceUriField(KIND)
    runtime = RuntimeField(source="*", read_only=True, allow_null=True)
    status = WordField(Server.Status)
    uuid = serializers.UUIDField(read_only=True)

    get_owner = ServerSerializer.get_owner


class TaggedServerSerializer(ShortServerSerializer):
    """A server as the list of a tag shows it: its path is a reference there."""

    resource_uri = ReferenceField(KIND, source="pk", read_only=True)  # type: ignore[assignment]
