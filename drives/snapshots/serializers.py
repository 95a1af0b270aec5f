"""The snapshot's JSON, and what requests say of a snapshot."""

from typing import Any

from rest_framework import serializers

from cloudjobs.api.fields import (
    EmptyListField,
    MetaField,
    NarrowedFields,
    Reference,
    ReferenceField,
    ResourceUriField,
    StrictCharField,
    WireDateTimeField,
    WordField,
    related,
)
from cloudjobs.api.schema import NO_DEFAULT
from drives.models import Snapshot
from drives.querysets import KIND, SNAPSHOTS
from drives.serializers import DriveSerializer
from tags.serializers import TagsField


class SnapshotTimeField(WireDateTimeField):
    documented_type = "string"


class AllocatedField(serializers.IntegerField):
    """Bytes on disk, null until they are there; documented as always there."""

    def openapi(self, direction: str) -> dict[str, Any]:
        return {"type": ["integer", "null"], "format": "int64"}


class SnapshotCloneSerializer(DriveSerializer):
    """The drive that the clone of a snapshot makes: its path is a reference there."""

    resource_uri = ReferenceField(KIND, source="pk", read_only=True)  # type: ignore[assignment]


class SnapshotRequest(serializers.Serializer[Any]):
    """A definition, as create and update take it. Keys that are read-only are ignored."""

    drive = ReferenceField(KIND, source="drive_id", help_text="Drive UUID")
    meta = MetaField(required=False, help_text="User defined meta information")
    name = StrictCharField(
        required=False,
        allow_blank=True,
        max_length=255,
        help_text="Optional human readable name of the snapshot",
    )
    tags = TagsField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = {"drive": attrs.pop("drive_id")} if "drive_id" in attrs else {}
        return attrs | given


class SnapshotChange(SnapshotRequest):
    """The same for an update, where what is left out stays."""

    drive = ReferenceField(KIND, source="drive_id", required=False)

    def to_internal_value(self, data: Any) -> Any:
        """Take `"drive": {}` as left out: that is how a client in Go leaves out a structure."""
        if isinstance(data, dict) and data.get("drive") == {}:
            data = {name: value for name, value in data.items() if name != "drive"}
        return super().to_internal_value(data)


class SnapshotSerializer(NarrowedFields, SnapshotRequest):
    """A snapshot in full; expects `visible_tags` on it."""

    allocated_size = AllocatedField(
        read_only=True, help_text="Physical size of the snapshot; null until it is there"
    )
    grantees = EmptyListField("list", help_text="Users who may use the snapshot")
    owner = serializers.SerializerMethodField(
        default=None, allow_null=True, help_text="Owner of the snapshot"
    )
    permissions = EmptyListField("list", help_text="What the user who asks may do")
    resource_uri = ResourceUriField(SNAPSHOTS, help_text="The path of this snapshot")
    status = WordField(Snapshot.Status, help_text="Status of the snapshot")
    tags = TagsField(source="visible_tags", default=NO_DEFAULT)
    timestamp = SnapshotTimeField(
        source="created_at",
        read_only=True,
        default=None,
        help_text="Timestamp of the snapshot creation",
    )
    uuid = serializers.UUIDField(read_only=True, default=None, help_text="UUID of the snapshot")

    class Meta:
        model = Snapshot  # whose defaults the schema tells

    def get_owner(self, snapshot: Snapshot) -> Reference:
        return related("user", snapshot.owner_id)
