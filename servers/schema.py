"""What the schema tells of a server beyond its JSON: what is documented and not offered."""

from typing import Any

from rest_framework import serializers

from cloudjobs.api.fields import NothingField, ReferenceField
from servers.models import Nic
from servers.requests import AddressRequest
from servers.serializers import (
    NamedNicRuntimeSerializer,
    NicRuntimeSerializer,
    NicSerializer,
    RuntimeField,
    ServerSerializer,
)


class EpcSchema(serializers.Serializer[Any]):
    """A part of the memory that the processor encrypts."""

    size = serializers.IntegerField(help_text="Size of the EPC in bytes")


class GpuDetailsSchema(serializers.Serializer[Any]):
    """The GPU that a server has got."""

    model_id = serializers.CharField(help_text="Short name of the model")
    owner = ReferenceField("user", required=False, help_text="Owner of the GPU")
    resource_uri = serializers.CharField(read_only=True, help_text="The path of the GPU")
    subscription = ReferenceField("subscriptions", required=False, help_text="What pays for it")
    uuid = serializers.UUIDField(required=False, help_text="UUID of the GPU")


class GpuSchema(serializers.Serializer[Any]):
    """The GPU that a server asks for."""

    gpu = GpuDetailsSchema(read_only=True, allow_null=True, help_text="The GPU that it has got")
    model = serializers.CharField(help_text="Model of the GPU")


class TrafficByOriginSchema(serializers.Serializer[Any]):
    """Counters that tell the provider's own network from all others."""

    rx_foreign = NothingField("integer", default=0, help_text="Bytes received from elsewhere")
    rx_local = NothingField("integer", default=0, help_text="Bytes received from nearby")
    tx_foreign = NothingField("integer", default=0, help_text="Bytes sent to elsewhere")
    tx_local = NothingField("integer", default=0, help_text="Bytes sent to nearby")


class NicRuntimeSchema(TrafficByOriginSchema, NicRuntimeSerializer):
    """What a card does."""


class NamedNicRuntimeSchema(TrafficByOriginSchema, NamedNicRuntimeSerializer):
    """What a card does, in the list of all."""


class RuntimeSchema(RuntimeField):
    """What a running server does."""

    active_since = serializers.CharField(  # type: ignore[assignment]
        read_only=True, help_text="When it was started"
    )
    nics = NamedNicRuntimeSchema(many=True, default=list, help_text="Its network cards")


class NicSchema(NicSerializer):
    """A network card."""

    ip_v6_conf = AddressRequest(  # type: ignore[assignment]
        read_only=True, allow_null=True, default=None, help_text="There is no IPv6"
    )
    model = serializers.ChoiceField(
        choices=Nic.Model.choices,
        required=False,
        help_text="Model of the card; virtio if not given",
    )
    runtime = NicRuntimeSchema(
        read_only=True, allow_null=True, help_text="Address and traffic while it runs"
    )


class ServerSchema(ServerSerializer):
    """A server with all that is documented; it makes the schema, never an answer."""

    allocation_pool = NothingField("string", default=None, help_text="There are no pools of hosts")
    auto_start = NothingField("boolean", default=False, help_text="A clone is always stopped")
    epcs = EpcSchema(
        many=True, read_only=True, allow_null=True, default=list, help_text="There are no EPCs"
    )
    gpus = GpuSchema(
        many=True, read_only=True, allow_null=True, default=list, help_text="There are no GPUs"
    )
    is_grey = NothingField("boolean", default=False, help_text="Every server has its own capacity")
    nics = NicSchema(many=True, default=list, help_text="Network cards of the server")
    runtime = RuntimeSchema(read_only=True, allow_null=True, help_text="What a running server does")


class BoundsSchema(serializers.Serializer[Any]):
    """The least and the most that there may be of something."""

    min = serializers.IntegerField()
    max = serializers.IntegerField()


class DriveSizesSchema(serializers.Serializer[Any]):
    """The bounds of a drive's size in bytes, in the two forms that clients read."""

    min_size = serializers.IntegerField()
    max_size = serializers.IntegerField()
    size = BoundsSchema()


class MachineLimitsSchema(serializers.Serializer[Any]):
    """The limits of a server on one kind of host."""

    cpu = BoundsSchema(help_text="MHz of all cores together")
    cpu_per_smp = BoundsSchema(help_text="MHz of each core")
    mem = BoundsSchema(help_text="Bytes of memory")
    smp = BoundsSchema(help_text="Cores")


class ServerLimitsSchema(MachineLimitsSchema):
    """The limits of a server, and how it may be started."""

    default_start_method = serializers.CharField()
    start_methods = serializers.ListField(child=serializers.CharField())


class CapabilitiesSchema(serializers.Serializer[Any]):
    """What drives and servers may be made of here."""

    default_storage_type = serializers.CharField()
    drives = serializers.DictField(child=DriveSizesSchema(), help_text="By storage type")
    hosts = serializers.DictField(child=MachineLimitsSchema(), help_text="By CPU type")
    hypervisors = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    servers = ServerLimitsSchema()


class CapabilitiesTextSchema(serializers.Serializer[Any]):
    """What `/capabilities/` is."""

    allowed_methods = serializers.ListField(child=serializers.CharField())
    help_text = serializers.CharField()  # type: ignore[assignment]  # the wire's name
