"""The drive's JSON, and what requests say of a drive."""

from typing import Any

from rest_framework import serializers

from cloudjobs.api.fields import (
    MetaField,
    NarrowedFields,
    StrictBooleanField,
    StrictCharField,
    related,
    resource_uri,
)
from drives.models import Drive
from drives.storage import storage_types

LARGEST_SIZE = 2**62  # bytes; a storage host's own limit lies far below
AFFINITIES = ("ssd",)
UNSETTLED = (Drive.Status.CREATING, Drive.Status.CLONING_DST)


class SizeField(serializers.IntegerField):
    """Bytes: a whole number, or a string of digits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_SIZE, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        text = isinstance(data, str) and data.isascii() and data.isdigit()
        if not text and (isinstance(data, bool) or not isinstance(data, int)):
            self.fail("invalid")
        return super().to_internal_value(data)


class NameField(StrictCharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=255, help_text="Human readable name of the drive", **kwargs)


class StorageTypeField(StrictCharField):
    """One of the storage types that are configured; the action that places the drive looks."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=32, help_text="Underlying storage", **kwargs)

    @property
    def choices(self) -> dict[str, str]:
        return {name: name for name in storage_types()}


class AffinitiesField(serializers.ListField):
    child = serializers.ChoiceField(choices=AFFINITIES)


class NoTagsField(serializers.ListField):
    """There are no tags yet, so every one that is named does not exist."""

    def to_internal_value(self, data: Any) -> list[Any]:
        if super().to_internal_value(data):
            raise serializers.ValidationError("There is no such tag.")
        return []


class DriveRequest(serializers.Serializer[Any]):
    """A full definition, as create and update take it. Keys that are read-only are ignored."""

    name = NameField()
    size = SizeField()
    media = serializers.ChoiceField(choices=Drive.Media.choices)
    storage_type = StorageTypeField(required=False)
    meta = MetaField(required=False)
    tags = NoTagsField(required=False)
    affinities = AffinitiesField(required=False)
    allow_multimount = StrictBooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.pop("tags", None)
        return attrs


class CloneRequest(DriveRequest):
    """What may differ in a clone."""

    name = NameField(required=False)
    size = SizeField(required=False)
    media = serializers.ChoiceField(choices=Drive.Media.choices, required=False)
    allow_multimount = None  # type: ignore[assignment]


class ResizeRequest(DriveRequest):
    """A definition of which only the size is needed."""

    name = NameField(required=False)
    media = serializers.ChoiceField(choices=Drive.Media.choices, required=False)


class DeletionRequest(serializers.Serializer[Any]):
    uuid = serializers.UUIDField()


class DriveRuntimeSerializer(serializers.Serializer[Drive]):
    """What is known of the image."""

    is_downloadable = serializers.BooleanField(
        source="is_readable", read_only=True, help_text="Can the image be downloaded now?"
    )
    is_ephemeral = serializers.SerializerMethodField(
        help_text="Does the image end with its server?"
    )
    is_snapshotable = serializers.SerializerMethodField(
        help_text="Can snapshots be taken? Null while the image is being made."
    )
    snapshots_allocated_size = serializers.SerializerMethodField(
        help_text="Bytes that snapshots of the drive take"
    )
    storage_type = serializers.CharField(read_only=True, help_text="Underlying storage")

    def get_is_ephemeral(self, drive: Drive) -> bool:
        return False

    def get_is_snapshotable(self, drive: Drive) -> bool | None:
        return None if drive.status in UNSETTLED else drive.is_readable

    def get_snapshots_allocated_size(self, drive: Drive) -> int:
        return 0


class EmptyListField(serializers.ListField):
    """A documented list of something that this installation does not have."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(source="*", read_only=True, **kwargs)

    def to_representation(self, data: Any) -> list[Any]:
        return []


class NothingField(serializers.ReadOnlyField):
    """A documented value that this installation does not have: null."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(source="*", **kwargs)

    def to_representation(self, value: Drive) -> None:
        return None


class DriveSerializer(NarrowedFields, DriveRequest):
    """A drive in full; expects `visible_jobs` on it."""

    backup_scheduler = NothingField(help_text="Drive's backup scheduler")
    grantees = EmptyListField(help_text="Users who may use the drive")
    iops = NothingField(help_text="IOPS limit of the drive")
    jobs = serializers.SerializerMethodField(help_text="Background jobs related to this drive")
    licenses = EmptyListField(help_text="Licenses attached to this drive")
    mounted_on = EmptyListField(help_text="Servers on which this drive is mounted")
    owner = serializers.SerializerMethodField(help_text="Owner of the drive")
    permissions = EmptyListField(help_text="What the user who asks may do")
    remote_snapshots = EmptyListField(help_text="Snapshots of this drive that lie elsewhere")
    resource_uri = serializers.SerializerMethodField(help_text="The path of this drive")
    runtime = DriveRuntimeSerializer(
        source="*", read_only=True, help_text="What is known of the image"
    )
    snapshots = EmptyListField(help_text="Snapshots of this drive")
    status = serializers.CharField(read_only=True, help_text="Status of the drive")
    tags = EmptyListField(help_text="Tags of this drive")  # type: ignore[assignment]
    uuid = serializers.UUIDField(read_only=True, help_text="UUID of the drive")

    def get_jobs(self, drive: Any) -> list[dict[str, str]]:
        return [related("jobs", uuid) for uuid in drive.visible_jobs]

    def get_owner(self, drive: Drive) -> dict[str, str]:
        return related("user", drive.owner_id)

    def get_resource_uri(self, drive: Drive) -> str:
        return resource_uri("drives", drive.pk)


class ShortDriveSerializer(NarrowedFields):
    """A drive as the plain list shows it."""

    owner = serializers.SerializerMethodField()
    resource_uri = serializers.SerializerMethodField()
    status = serializers.CharField(read_only=True)
    uuid = serializers.UUIDField(read_only=True)

    get_owner = DriveSerializer.get_owner
    get_resource_uri = DriveSerializer.get_resource_uri
