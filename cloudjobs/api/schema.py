"""`/{resource}/schema/`: what a resource looks like, told by its serializer.

Two styles are documented: the older one (`jobs`, `profile`) tells of each field whether it may be
blank, null and must be unique; the later one (`drives`, `servers`) whether it is required.
"""

from decimal import Decimal
from typing import Any

from django.db.models import NOT_PROVIDED
from rest_framework import serializers
from rest_framework.fields import empty

from cloudjobs.api.fields import MetaField, WireDateTimeField
from cloudjobs.api.pagination import DEFAULT_LIMIT

AnyField = serializers.Field[Any, Any, Any, Any]

NO_DEFAULT = "No default provided."
TYPE_NAMES: tuple[tuple[type[AnyField], str], ...] = (
    (MetaField, "dict"),
    (serializers.BooleanField, "boolean"),
    (WireDateTimeField, "datetime"),
    (serializers.IntegerField, "integer"),
    (serializers.DecimalField, "decimal"),
    (serializers.JSONField, "object"),
    (serializers.ListField, "list"),
    (serializers.BaseSerializer, "related"),
    (serializers.CharField, "string"),
    (serializers.UUIDField, "string"),
    (serializers.ChoiceField, "string"),
)


def describe_resource(
    serializer: Any,
    *,
    list_methods: list[str],
    detail_methods: list[str],
    filtering: dict[str, Any] | None,
    ordering: list[str] | None,
    older_style: bool,
) -> dict[str, Any]:
    """Return the schema of the resource that `serializer` shows; None leaves a part out."""
    describe = describe_in_older_style if older_style else describe_field
    list_parts = {"filtering": filtering, "ordering": ordering}
    return {
        "allowed_detail_http_methods": detail_methods,
        "allowed_list_http_methods": list_methods,
        "default_format": "application/json",
        "default_limit": DEFAULT_LIMIT,
        "fields": {name: describe(field) for name, field in sorted(serializer.fields.items())},
        **{name: part for name, part in list_parts.items() if part is not None},
    }


def describe_field(field: AnyField) -> dict[str, Any]:
    """Return a field's description in the later style, its own fields included."""
    description: dict[str, Any] = {
        "default": default_or_null_of(field),
        "help_text": str(field.help_text or ""),
        "readonly": field.read_only,
        "required": is_required(field),
        "type": type_name(field),
    }
    if hasattr(field, "choices"):
        description["choices"] = list(field.choices)
    if isinstance(field, serializers.ListField) and isinstance(
        field.child, serializers.ChoiceField
    ):
        description["choices"] = list(field.child.choices)
    inner = field.child if isinstance(field, serializers.ListSerializer) else field
    if isinstance(inner, serializers.Serializer):
        description["fields"] = {
            name: describe_field(each) for name, each in sorted(inner.fields.items())
        }
    return description


def is_required(field: AnyField) -> bool:
    """Has a request to give the value; or if it is read-only, does every answer have one?"""
    return field.required or (field.read_only and not field.allow_null)


def describe_in_older_style(field: AnyField) -> dict[str, Any]:
    """Return a field's description in the older style."""
    return {
        "blank": bool(getattr(field, "allow_blank", False)),
        "default": default_of(field),
        "help_text": str(field.help_text or ""),
        "nullable": field.allow_null,
        "readonly": field.read_only,
        "type": type_name(field),
        "unique": field.field_name == "uuid",
    }


def default_of(field: AnyField) -> Any:
    """Return the value that a field has when nothing is given for it, in the older style."""
    default = raw_default(field)
    if callable(default):
        return NO_DEFAULT
    return int(default) if isinstance(default, Decimal) else default


def default_or_null_of(field: AnyField) -> Any:
    """Return the same in the later style, where null stands for what has to be given.

    A field that has to be given may suggest a value by its `initial`.
    """
    if field.read_only and field.default is empty:
        return NO_DEFAULT
    if field.required and field.initial:
        return field.initial
    default = raw_default(field)
    if default in (list, dict):
        return default()
    if callable(default):
        return None
    return default


def raw_default(field: AnyField) -> Any:
    """Return the field's default, else that of the model's field, if the serializer names one."""
    if field.default is not empty:
        return field.default
    model = getattr(getattr(field.parent, "Meta", None), "model", None)
    defaults = {each.name: each.default for each in model._meta.fields} if model else {}
    return defaults.get(str(field.source), NOT_PROVIDED)


def type_name(field: AnyField) -> str:
    """Return the documentation's word for the field's type: its own, or that of its class."""
    own: str | None = getattr(field, "documented_type", None)
    if own:
        return own
    for field_class, name in TYPE_NAMES:
        if isinstance(field, field_class):
            return name
    return "related"
