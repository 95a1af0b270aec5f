"""The JSON of a drive of the library."""

from typing import Any

from rest_framework import serializers

from cloudjobs.api.fields import (
    EmptyListField,
    MetaField,
    NarrowedFields,
    NothingField,
    ResourceUriField,
    WordField,
)
from drives.models import Drive
from drives.schema import LicenseSchema
from drives.serializers import (
    AffinitiesField,
    DriveCloneRequest,
    DriveSerializer,
    StorageTypeField,
)


class EntryField(serializers.CharField):
    """A text of the entry."""

    def __init__(self, name: str, help_text: str) -> None:
        source = f"library_entry.{name}"
        super().__init__(source=source, read_only=True, default=None, help_text=help_text)


class KnownField(EntryField):
    """A text of the entry, null if nothing is said of it."""

    def __init__(self, name: str, help_text: str) -> None:
        super().__init__(name, help_text)
        self.allow_null = True

    def to_representation(self, value: Any) -> Any:
        return super().to_representation(value) or None


class LibraryDriveSerializer(NarrowedFields):
    """A drive of the library in full; expects its entry fetched, and `visible_jobs` on it."""

    affinities = AffinitiesField(read_only=True, default=list, help_text="Affinities of the drive")
    allow_multimount = serializers.BooleanField(
        read_only=True, default=False, help_text="May a disk be mounted on several servers?"
    )
    arch = EntryField("arch", "Architecture of the operating system, in bits")
    category = serializers.ListField(
        source="library_entry.category",
        read_only=True,
        default=list,
        help_text="What the drive is for",
    )
    description = EntryField("description", "What is on the drive")
    distribution = KnownField("distribution", "Distribution of the operating system")
    favourite = serializers.SerializerMethodField(
        default=None, help_text="Nobody has favourites here"
    )
    image_type = EntryField("image_type", "install, or preinst if it is installed already")
    install_notes = EntryField("install_notes", "How to use the drive")
    jobs = serializers.SerializerMethodField(help_text="Your background jobs on this drive")
    licenses = EmptyListField(help_text="Licences attached to this drive; there are none")
    media = serializers.ChoiceField(
        choices=Drive.Media.choices,
        read_only=True,
        default=None,
        help_text="What a server sees the drive as",
    )
    meta = MetaField(read_only=True, default=dict, help_text="Meta information")
    mounted_on = serializers.SerializerMethodField(help_text="Your servers that have this drive")
    name = serializers.CharField(
        read_only=True, default=None, help_text="Human readable name of the drive"
    )
    os = EntryField("os", "Operating system")
    owner = NothingField(default=None, help_text="Nobody owns it")
    paid = serializers.BooleanField(
        source="library_entry.paid",
        read_only=True,
        default=None,
        help_text="Does its use need a licence?",
    )
    resource_uri = ResourceUriField("libdrives", help_text="The path of this drive")
    size = serializers.IntegerField(
        read_only=True, default=None, help_text="Size of the drive in bytes"
    )
    status = WordField(Drive.Status, help_text="Status of the drive")
    storage_type = NothingField("string", help_text="A clone may lie on any storage")
    tags = EmptyListField(help_text="What is in the library has no tags")
    url = EntryField("url", "Where more is told of it")
    uuid = serializers.UUIDField(read_only=True, default=None, help_text="UUID of the drive")
    version = KnownField("version", "Version of the operating system")

    get_jobs = DriveSerializer.get_jobs
    get_mounted_on = DriveSerializer.get_mounted_on

    def get_favourite(self, drive: Drive) -> bool:
        return False


class LibraryDriveSchema(LibraryDriveSerializer):
    """A drive with all that is documented; it makes the schema, never an answer."""

    licenses = LicenseSchema(  # type: ignore[assignment]
        many=True,
        read_only=True,
        default=list,
        help_text="Licences attached to this drive; there are none",
    )


class LibraryCloneRequest(DriveCloneRequest):
    """What may differ in a clone; what else was told of the source may be sent back."""

    storage_type = StorageTypeField(required=False, allow_null=True)

    def known_fields(self) -> set[str]:
        return super().known_fields() | set(LibraryDriveSerializer._declared_fields)
