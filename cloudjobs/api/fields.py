"""Serializer fields that more than one resource uses."""

import json
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Any, TypedDict, cast
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request

API_ROOT = "/api/2.0/"
Writer = Callable[[Any], Any]
REFERENCE = {"$ref": "#/components/schemas/Reference"}
REFERENCE_REQUEST = {"$ref": "#/components/schemas/ReferenceRequest"}
META_KEY_LENGTH = 32
META_KEYS = 200
META_VALUE_LENGTH = 10_000
META_BYTES = 32 * 1024  # of the whole, as lists of many objects hold them all


class Reference(TypedDict):
    """Another object, as answers name it."""

    resource_uri: str
    uuid: str


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


class WholeNumberField(serializers.IntegerField):
    """A whole number, or a string of digits."""

    def to_internal_value(self, data: Any) -> int:
        text = isinstance(data, str) and data.isascii() and data.isdigit()
        if not text and (isinstance(data, bool) or not isinstance(data, int)):
            self.fail("invalid")
        return super().to_internal_value(data)

    def openapi(self, direction: str) -> dict[str, Any]:
        number: dict[str, Any] = {"type": "integer", "format": "int64"}
        if direction == "response":
            return number
        bounds = {"minimum": self.min_value, "maximum": self.max_value}
        number |= {name: bound for name, bound in bounds.items() if bound is not None}
        return {"anyOf": [number, {"type": "string", "pattern": "^[0-9]{1,19}$"}]}


class WordField(serializers.CharField):
    """One of some words, in answers."""

    def __init__(self, words: Any, **kwargs: Any) -> None:
        self.words = [str(word) for word in words]
        super().__init__(read_only=True, **kwargs)

    def openapi(self, direction: str) -> dict[str, Any]:
        return {"type": "string", "enum": self.words}


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
        if isinstance(data, dict) and len(data) > META_KEYS:
            raise serializers.ValidationError(f"At most {META_KEYS} keys are kept.")
        meta: dict[str, str] = super().to_internal_value(data)
        if len(json.dumps(meta)) > META_BYTES:
            raise serializers.ValidationError(f"At most {META_BYTES} bytes are kept, as JSON.")
        for key in meta:
            self.check_key(key)
        return meta

    def openapi(self, direction: str) -> dict[str, Any]:
        value = {"type": "string"}
        if direction == "response":
            return {"type": "object", "additionalProperties": value}
        bounded = {**value, "maxLength": META_VALUE_LENGTH}
        return {"type": "object", "additionalProperties": bounded, "maxProperties": META_KEYS}

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

    def openapi(self, direction: str) -> dict[str, Any]:
        return {"type": "string", "format": "uri-reference"}


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

    def openapi(self, direction: str) -> dict[str, Any]:
        return REFERENCE_REQUEST if direction == "request" else REFERENCE


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

    def openapi(self, direction: str) -> dict[str, Any]:
        return {"type": "array", "items": {}, "maxItems": 0, "nullable": False}


class NothingField(serializers.ReadOnlyField):
    """A documented value that this installation does not have: null."""

    def __init__(self, documented_type: str = "related", **kwargs: Any) -> None:
        self.documented_type = documented_type
        super().__init__(source="*", allow_null=True, **kwargs)

    def to_representation(self, value: Any) -> None:
        return None

    def openapi(self, direction: str) -> dict[str, Any]:
        return REFERENCE if self.documented_type == "related" else {"type": self.documented_type}


class NarrowedFields(serializers.Serializer[Any]):
    """A serializer that `?fields=uuid,status` narrows; unknown names are ignored.

    Fields come in alphabetical order, as in the documentation. How each is written is decided once
    for the serializer, not once for every object, as lists may have a hundred thousand.
    """

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {name: write(instance) for name, write in self.writers}

    @cached_property
    def writers(self) -> list[tuple[str, Writer]]:
        """The functions that make each field's value of an object."""
        return [(str(field.field_name), writer_of(field)) for field in self._readable_fields]

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = dict(sorted(super().get_fields().items()))
        wanted = self.context.get("only_fields")
        if wanted is None:
            return fields
        return {name: field for name, field in fields.items() if name in wanted}


def only_fields(request: Request) -> frozenset[str] | None:
    """Return the names in `?fields=` of a GET; None means all."""
    wanted = request.query_params.get("fields")
    if not wanted or request.method not in {"GET", "HEAD"}:
        return None
    return frozenset(wanted.split(","))


def writer_of(field: Any) -> Writer:
    """Return the function that makes a field's value of an object."""
    represent = field.to_representation
    if field.source == "*":
        return cast(Writer, represent)
    read = attrgetter(field.source)

    def write(instance: Any) -> Any:
        value = read(instance)
        return None if value is None else represent(value)

    return write


def is_reference(data: Any) -> bool:
    """Is it an object that holds a uuid, as answers have it in the place of the uuid?"""
    return isinstance(data, dict) and "uuid" in data


def related(resource: str, uuid: Any) -> Reference:
    """Return a reference to another object, e.g. an owner or a job."""
    return {"resource_uri": resource_uri(resource, uuid), "uuid": str(uuid)}


def resource_uri(resource: str, uuid: Any) -> str:
    """Return an object's path, e.g. `/api/2.0/jobs/{uuid}/`."""
    return f"{API_ROOT}{resource}/{uuid}/"
