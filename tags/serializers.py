"""The tag's JSON, what requests say of a tag, and the tags of other things."""

from typing import Any

from rest_framework import serializers

from cloudjobs.api.fields import (
    REFERENCE,
    REFERENCE_REQUEST,
    MetaField,
    NarrowedFields,
    Reference,
    ReferenceField,
    ResourceUriField,
    StrictCharField,
    related,
)
from tags.models import Tag, TagLink

RESOURCE = "tags"
MOST_LINKS = 500


class TagsField(serializers.ListField):
    """The tags of an object: uuids, or objects that hold one."""

    documented_type = "related"
    child = ReferenceField(RESOURCE)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MOST_LINKS, help_text="Tags of this object", **kwargs)


class ResourcesField(serializers.ListField):
    """What has a tag: in requests uuids, or objects that hold one."""

    documented_type = "related"
    child = ReferenceField("resources")

    def __init__(self, **kwargs: Any) -> None:
        text = "Drives, servers and snapshots that have the tag"
        super().__init__(
            max_length=MOST_LINKS, required=False, allow_null=True, help_text=text, **kwargs
        )

    def to_representation(self, data: Any) -> list[dict[str, Any]]:
        return [link_json(link) for link in data.all()]

    def openapi(self, direction: str) -> dict[str, Any]:
        if direction == "request":
            return {"type": "array", "items": REFERENCE_REQUEST, "maxItems": MOST_LINKS}
        kind = {"type": "string", "enum": ["drives", "servers", "snapshots"]}
        properties = {"owner": REFERENCE, "res_type": kind}
        told = {"type": "object", "required": list(properties), "properties": properties}
        return {"type": "array", "items": {"allOf": [REFERENCE, told]}}


def link_json(link: TagLink) -> dict[str, Any]:
    """Return what has a tag; its owner is the tag's."""
    return {
        "owner": related("user", link.tag.owner_id),
        "res_type": link.kind,
        **related(link.kind, link.object_uuid),
    }


class TagRequest(serializers.Serializer[Any]):
    """A full definition, as create and update take it. Keys that are read-only are ignored."""

    name = StrictCharField(max_length=255, help_text="Human readable name of the tag")
    meta = MetaField(required=False, help_text="User defined meta information")
    resources = ResourcesField()


class TagSerializer(NarrowedFields, TagRequest):
    """A tag in full; expects its links fetched."""

    owner = serializers.SerializerMethodField(help_text="Owner of the tag")
    resource_uri = ResourceUriField(RESOURCE, help_text="The path of this tag")
    resources = ResourcesField(source="links")
    uuid = serializers.UUIDField(read_only=True, help_text="UUID of the tag")

    class Meta:
        model = Tag  # whose defaults the schema tells

    def get_owner(self, tag: Tag) -> Reference:
        return related("user", tag.owner_id)
