"""The drive's JSON, and what requests say of a drive."""

from typing import Any

from rest_framework import serializers

from cloudjobs.api.errors import MOST_ENTRIES
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
    StrictUUIDField,
    WholeNumberField,
    WordField,
    related,
)
from cloudjobs.api.schema import NO_DEFAULT
from drives.models import Drive
from drives.querysets import KIND, SERVER_AT_WORK, SNAPSHOTS
from drives.storage import storage_types
from tags.serializers import TagsField

LARGEST_SIZE = 2**62  # bytes; a storage host's own limit lies far below
AFFINITIES = ("ssd",)
UNSETTLED = (Drive.Status.CREATING, Drive.Status.CLONING_DST)


class SizeField(WholeNumberField):
    """Bytes: a whole number, or a string of digits."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs = {"help_text": "Size of the drive in bytes", **kwargs}
        super().__init__(min_value=1, max_value=LARGEST_SIZE, **kwargs)


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

    def openapi(self, direction: str) -> dict[str, Any]:
        return {"type": "string", "enum": storage_types()}


class AffinitiesField(serializers.ListField):
    child = serializers.ChoiceField(choices=AFFINITIES)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=len(AFFINITIES), **kwargs)


class DriveRequest(serializers.Serializer[Any]):
    """A full definition, as create and update take it. Keys that are read-only are ignored."""

    name = NameField()
    size = SizeField()
    media = serializers.ChoiceField(
        choices=Drive.Media.choices, help_text="What a server sees the drive as"
    )
    storage_type = StorageTypeField(required=False)
    meta = MetaField(required=False, help_text="User defined meta information")
    tags = TagsField(required=False)
    affinities = AffinitiesField(required=False, help_text="Affinities of the drive")
    allow_multimount = StrictBooleanField(
        required=False, help_text="May a disk be mounted on several servers?"
    )


class ActionRequest(DriveRequest):
    """What an action takes: of the fields of a drive those that it needs."""

    def known_fields(self) -> set[str]:
        """Return the names that an answer has, and that a request may send back."""
        return set(DriveSerializer._declared_fields)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        unknown = set(self.initial_data) - self.known_fields()
        if unknown:
            message = "A drive has no such field."
            told = sorted(unknown)[:MOST_ENTRIES]
            raise serializers.ValidationError(dict.fromkeys(told, message))
        return super().validate(attrs)


class DriveCloneRequest(ActionRequest):
    """What may differ in a clone."""

    name = NameField(required=False)
    size = SizeField(required=False)
    media = serializers.ChoiceField(choices=Drive.Media.choices, required=False)
    allow_multimount = None  # type: ignore[assignment]
    verify = StrictBooleanField(
        required=False, help_text="Is the clone to be read again and compared with its source?"
    )

    def known_fields(self) -> set[str]:
        return super().known_fields() | {"verify"}


class DriveResizeRequest(ActionRequest):
    """A definition of which only the size is needed."""

    name = NameField(required=False)
    media = serializers.ChoiceField(choices=Drive.Media.choices, required=False)


class UploadRequest(serializers.Serializer[Any]):
    """What the address of an upload says of the drive."""

    name = NameField(default="upload")
    media = serializers.ChoiceField(choices=Drive.Media.choices, default=Drive.Media.DISK)
    storage_type = StorageTypeField(required=False)


class DeletionRequest(serializers.Serializer[Any]):
    uuid = StrictUUIDField()


class DriveRuntimeSerializer(serializers.Serializer[Drive]):
    """What is known of the image."""

    is_downloadable = serializers.BooleanField(
        source="is_readable", read_only=True, help_text="Can the image be downloaded now?"
    )
    is_ephemeral = MethodField("boolean", help_text="Does the image end with its server?")
    is_snapshotable = MethodField(
        "boolean", help_text="Can snapshots be taken? Null while the image is being made."
    )
    snapshots_allocated_size = MethodField(
        "integer", help_text="Bytes that snapshots of the drive take"
    )
    storage_type = serializers.CharField(read_only=True, help_text="Underlying storage")

    def get_is_ephemeral(self, drive: Drive) -> bool:
        return False

    def get_is_snapshotable(self, drive: Drive) -> bool | None:
        if drive.status in UNSETTLED:
            return None
        if drive.is_in_library:
            return False
        servers = (mount.server for mount in drive.mounts.all())
        return drive.is_readable and all(one.status not in SERVER_AT_WORK for one in servers)

    def get_snapshots_allocated_size(self, drive: Drive) -> int:
        return sum(snapshot.allocated_size or 0 for snapshot in drive.snapshots.all())


class DriveSerializer(NarrowedFields, DriveRequest):
    """A drive in full; expects `visible_jobs` and `visible_tags` on it."""

    backup_scheduler = NothingField(help_text="Drive's backup scheduler")
    grantees = EmptyListField("list", help_text="Users who may use the drive")
    iops = NothingField("integer", default=None, help_text="IOPS limit of the drive")
    jobs = serializers.SerializerMethodField(help_text="Background jobs related to this drive")
    licenses = EmptyListField(help_text="Licenses attached to this drive")
    mounted_on = serializers.SerializerMethodField(
        help_text="Servers on which this drive is mounted"
    )
    owner = serializers.SerializerMethodField(default=None, help_text="Owner of the drive")
    permissions = EmptyListField("list", help_text="What the user who asks may do")
    remote_snapshots = EmptyListField(help_text="Snapshots of this drive that lie elsewhere")
    resource_uri = ResourceUriField(KIND, help_text="The path of this drive")
    runtime = DriveRuntimeSerializer(
        source="*", read_only=True, help_text="What is known of the image"
    )
    snapshots = MethodField("related", allow_null=True, help_text="Snapshots of this drive")
    status = WordField(Drive.Status, help_text="Status of the drive")
    tags = TagsField(source="visible_tags", default=NO_DEFAULT)  # documented as having none
    uuid = serializers.UUIDField(read_only=True, default=None, help_text="UUID of the drive")

    class Meta:
        model = Drive  # whose defaults the schema tells

    def get_jobs(self, drive: Any) -> list[Reference]:
        return [related("jobs", uuid) for uuid in drive.visible_jobs]

    def get_mounted_on(self, drive: Any) -> list[Reference]:
        return [related("servers", mount.server_id) for mount in drive.mounts.all()]

    def get_owner(self, drive: Drive) -> Reference | None:
        return related("user", drive.owner_id) if drive.owner_id else None

    def get_snapshots(self, drive: Drive) -> list[Reference]:
        return [related(SNAPSHOTS, snapshot.pk) for snapshot in drive.snapshots.all()]


class ShortDriveSerializer(NarrowedFields):
    """A drive as the plain list shows it."""

    owner = serializers.SerializerMethodField()
    resource_uri = ResourceUriField(KIND)
    status = WordField(Drive.Status)
    uuid = serializers.UUIDField(read_only=True)

    get_owner = DriveSerializer.get_owner


class TaggedDriveSerializer(ShortDriveSerializer):
    """A drive as the list of a tag shows it: its path is a reference there."""

    resource_uri = ReferenceField(KIND, source="pk", read_only=True)  # type: ignore[assignment]
