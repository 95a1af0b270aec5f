"""The server's JSON, while it runs and while it does not."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from cloudjobs.api.fields import (
    EmptyListField,
    MethodField,
    NarrowedFields,
    NothingField,
    Reference,
    ReferenceField,
    ResourceUriField,
    WireDateTimeField,
    WordField,
    related,
)
from cloudjobs.api.schema import NO_DEFAULT
from keypairs.serializers import PubkeysField
from servers.hypervisor import hypervisor
from servers.models import Mount, Nic, Server
from servers.querysets import KIND
from servers.requests import (
    ADDRESS_REFERENCE,
    AddressRequest,
    MountRequest,
    NicRequest,
    NumberField,
    ServerRequest,
)
from tags.serializers import TagsField

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
