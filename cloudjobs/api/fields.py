"""Serializer fields that more than one resource uses."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from rest_framework import serializers

META_KEY_LENGTH = 32
META_KEYS = 200
META_VALUE_LENGTH = 10_000
META_BYTES = 32 * 1024  # of the whole, as lists of many objects hold them all


def wire_time(moment: datetime) -> str:
    """Return `2014-06-05T09:45:08.003595+00:00`: always microseconds, never `Z`."""
    return moment.isoformat(timespec="microseconds")


class WireDateTimeField(serializers.DateTimeField):
    """A time as `wire_time` writes it."""

    def to_representation(self, value: datetime) -> str:
        return wire_time(value)


class StrictCharField(serializers.CharField):
    """A string; a number is refused instead of turned into one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictBooleanField(serializers.BooleanField):
    """true or false; strings and numbers that look like them are refused."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictUUIDField(serializers.UUIDField):
    """A UUID as text; a number is refused instead of counted as one."""

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class MetaField(serializers.DictField):
    """What a user keeps beside an object: strings under keys of at most 32 characters."""

    child = StrictCharField(max_length=META_VALUE_LENGTH, allow_blank=True, trim_whitespace=False)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        meta: dict[str, str] = super().to_internal_value(data)
        if len(meta) > META_KEYS:
            raise serializers.ValidationError(f"At most {META_KEYS} keys are kept.")
        if len(json.dumps(meta)) > META_BYTES:
            raise serializers.ValidationError(f"At most {META_BYTES} bytes are kept, as JSON.")
        for key in meta:
            self.check_key(key)
        return meta

    def check_key(self, key: str) -> None:
        if not 1 <= len(key) <= META_KEY_LENGTH:
            message = f"A key has between 1 and {META_KEY_LENGTH} characters."
            raise serializers.ValidationError({key[:META_KEY_LENGTH] or "": message})
        StrictCharField().run_validation(key)


class ResourceUriField(serializers.CharField):
    """The path of an object, e.g. `/api/2.0/jobs/{uuid}/`."""

    def __init__(self, resource: str, **kwargs: Any) -> None:
        self.resource = resource
        super().__init__(source="pk", read_only=True, **kwargs)

    def to_representation(self, value: Any) -> str:
        return resource_uri(self.resource, value)


class ReferenceField(StrictUUIDField):
    """Another object: its uuid, or an object that holds one, as answers have it."""

    documented_type = "related"

    def __init__(self, resource: str, **kwargs: Any) -> None:
        self.resource = resource
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> UUID:
        return super().to_internal_value(data["uuid"] if is_reference(data) else data)

    def to_representation(self, value: Any) -> Any:
        return related(self.resource, value)


class MethodField(serializers.SerializerMethodField):
    """A value that a method of the serializer makes, and what the schema calls its type."""

    def __init__(self, documented_type: str, **kwargs: Any) -> None:
        self.documented_type = documented_type
        super().__init__(**kwargs)


class EmptyListField(serializers.ListField):
    """A documented list of something that this installation does not have."""

    def __init__(self, documented_type: str = "related", **kwargs: Any) -> None:
        self.documented_type = documented_type
        super().__init__(source="*", read_only=True, allow_null=True, **kwargs)

    def to_representation(self, data: Any) -> list[Any]:
        return []


class NothingField(serializers.ReadOnlyField):
    """A documented value that this installation does not have: null."""

    def __init__(self, documented_type: str = "related", **kwargs: Any) -> None:
        self.documented_type = documented_type
        super().__init__(source="*", allow_null=True, **kwargs)

    def to_representation(self, value: Any) -> None:
        return None


class NarrowedFields(serializers.Serializer[Any]):
    """A serializer that `?fields=uuid,status` narrows; unknown names are ignored.

    Fields come in alphabetical order, as in the documentation.
    """

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = dict(sorted(super().get_fields().items()))
        wanted = self.context.get("only_fields")
        if wanted is None:
            return fields
        return {name: field for name, field in fields.items() if name in wanted}


def is_reference(data: Any) -> bool:
    """Is it an object that holds a uuid, as answers have it in the place of the uuid?"""
    return isinstance(data, dict) and "uuid" in data


def related(resource: str, uuid: Any) -> dict[str, str]:
    """Return a reference to another object, e.g. an owner or a job."""
    return {"resource_uri": resource_uri(resource, uuid), "uuid": str(uuid)}


def resource_uri(resource: str, uuid: Any) -> str:
    """Return an object's path, e.g. `/api/2.0/jobs/{uuid}/`."""
    return f"/api/2.0/{resource}/{uuid}/"
