"""Serializers and their fields as OpenAPI schemas.

A field whose class does not tell enough has a method `openapi(direction)`, which returns its
schema. What a request may hold and what an answer holds are components of their own.
"""

import typing
from collections.abc import Callable
from types import UnionType
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, append_meta
from rest_framework import serializers

from cloudjobs.api.fields import REFERENCE, NarrowedFields, Reference
from cloudjobs.api.openapi.components import component
from cloudjobs.api.openapi.exchanges import OpenApi

REQUEST = "Request"


class WireFields(AutoSchema):
    """Maps serializers to components: `Drive`, `DriveRequest`, `PartialDrive`."""

    def get_serializer_name(self, serializer: Any, direction: str) -> str:
        """Return the component's name; the base class adds what a request's ends with."""
        name: str = getattr(serializer, "component_name", type(serializer).__name__)
        name = name.removesuffix("Serializer").removesuffix("Schema")
        return name.removesuffix(REQUEST) if direction == "request" else name

    def _map_serializer_field(
        self, field: Any, direction: str, bypass_extensions: bool = False
    ) -> Any:
        """Return a field's schema; defaults stand in requests only."""
        if hasattr(field, "openapi"):
            meta = self._get_serializer_field_meta(field, direction)
            schema = with_meta(field.openapi(direction), meta)
        else:
            schema = super()._map_serializer_field(field, direction, bypass_extensions)
        if schema and direction == "response":
            schema.pop("default", None)
        return schema

    def _map_basic_serializer(self, serializer: Any, direction: str) -> Any:
        """Return a serializer's schema; an answer has all of its fields."""
        schema = super()._map_basic_serializer(serializer, direction)
        if direction == "response":
            schema["required"] = sorted(schema["properties"])
        elif getattr(serializer, "partial", False):
            schema.pop("required", None)
        return schema

    def _map_response_type_hint(self, method: Callable[..., Any]) -> Any:
        """Return the schema of what a method answers; references are a component."""
        hint = typing.get_type_hints(method).get("return")
        if hint is Reference:
            return dict(REFERENCE)
        if hint == list[Reference]:
            return {"type": "array", "items": REFERENCE}
        if isinstance(hint, UnionType) and Reference in typing.get_args(hint):
            return {"oneOf": [REFERENCE, {"type": "null"}]}
        return super()._map_response_type_hint(method)

    def of_answer(self, answer: Any) -> OpenApi:
        """Return the schema of what answers a request: a serializer's, or one that is given."""
        if isinstance(answer, dict):
            return answer
        ref: OpenApi = self.resolve_serializer(answer, "response").ref
        return ref

    def of_body(self, body: Any) -> OpenApi:
        """Return the schema of what a request carries."""
        if isinstance(body, dict):
            return body
        ref: OpenApi = self.resolve_serializer(body, "request").ref
        return ref

    def part_of(self, answer: Any) -> OpenApi:
        """Return the schema of an answer that `?fields=` narrows."""
        whole = self.resolve_serializer(answer, "response")
        name, properties = whole.name, whole.schema["properties"]
        part = {
            "type": "object",
            "description": "The fields that `fields` names.",
            "properties": properties,
        }
        return self.named(f"Partial{name}", part)

    def may_be_narrowed(self, answer: Any) -> bool:
        return isinstance(answer, type) and issubclass(answer, NarrowedFields)

    def named(self, name: str, schema: OpenApi) -> OpenApi:
        """Make a schema a component and return the reference to it."""
        made = ResolvedComponent(name, ResolvedComponent.SCHEMA, schema, name)
        self.registry.register_on_missing(made)
        return component(name)


def with_meta(schema: OpenApi, meta: OpenApi) -> OpenApi:
    """Return a schema with what is said of its field; beside a reference nothing may stand."""
    if schema.get("nullable") is False:  # the documented schema says more than is ever answered
        schema = {name: value for name, value in schema.items() if name != "nullable"}
        meta = {name: value for name, value in meta.items() if name != "nullable"}
    return append_meta({**schema}, meta)


def parameters_of(schema: WireFields, serializer: Any) -> list[OpenApi]:
    """Return a query parameter for each field of a serializer."""
    mapped = schema._map_serializer(serializer, "request")
    required = mapped.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "description": each.pop("description", name),
            "required": name in required,
            "schema": each.get("anyOf", [each])[0],  # a number is digits here anyway
        }
        for name, each in mapped["properties"].items()
    ]


def has_required(serializer: type[serializers.BaseSerializer[Any]]) -> bool:
    """Does a request need to carry something?"""
    instance = serializer()
    return any(field.required for field in getattr(instance, "fields", {}).values())
