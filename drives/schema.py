"""What the schema tells of a drive beyond its JSON: the form of what is documented, not offered."""

from typing import Any

from rest_framework import serializers

from cloudjobs.api.fields import ReferenceField
from drives.serializers import DriveSerializer


class LicenseSchema(serializers.Serializer[Any]):
    """A licence of a drive."""

    amount = serializers.IntegerField(default=1, help_text="Number of licences")
    license = ReferenceField("licenses", read_only=True, help_text="The licence itself")
    user = ReferenceField("user", required=False, help_text="Owner of the licence")


class DriveSchema(DriveSerializer):
    """A drive with all that is documented; it makes the schema, never an answer."""

    licenses = LicenseSchema(  # type: ignore[assignment]
        many=True,
        read_only=True,
        allow_null=True,
        default=list,
        help_text="Licences attached to this drive; there are none",
    )
