"""The profile's JSON."""

from typing import Any, ClassVar

from django.db import models
from rest_framework import serializers

from accounts.models import Profile
from cloudjobs.api.fields import (
    MetaField,
    NarrowedFields,
    StrictBooleanField,
    StrictCharField,
    WireDateTimeField,
)

READ_ONLY = (
    "bank_reference",
    "currency",
    "email",
    "network_restrictions",
    "reseller",
    "signup_time",
    "state",
    "tax_name",
    "tax_rate",
    "uuid",
)


class AmountField(serializers.DecimalField):
    """An amount of money: text in answers, text or a number in requests."""

    def openapi(self, direction: str) -> dict[str, Any]:
        amount = {"type": "string", "pattern": r"^[+-]?[0-9]+(\.[0-9]+)?$"}
        return amount if direction == "response" else {"anyOf": [amount, {"type": "number"}]}


class ProfileSerializer(NarrowedFields, serializers.ModelSerializer[Profile]):
    """Fields that only a provider sets are read-only, and ignored when a client sends them back."""

    serializer_field_mapping: ClassVar[dict[Any, Any]] = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.BooleanField: StrictBooleanField,
        models.CharField: StrictCharField,
        models.DecimalField: AmountField,
    }
    email = serializers.EmailField(source="user.email", read_only=True)
    meta = MetaField(required=False, help_text="User defined meta information")
    my_notes = StrictCharField(required=False, allow_blank=True, max_length=10_000)
    signup_time = WireDateTimeField(source="user.joined_at", read_only=True)
    uuid = serializers.CharField(source="user_id", read_only=True)

    class Meta:
        model = Profile
        exclude: ClassVar[list[str]] = ["user"]
        read_only_fields: ClassVar[tuple[str, ...]] = READ_ONLY
        extra_kwargs: ClassVar[dict[str, dict[str, Any]]] = {
            "clone_naming": {"help_text": "How a clone without a name of its own is called"}
        }

    def update(self, instance: Profile, validated_data: dict[str, Any]) -> Profile:
        """Write what is given and nothing else: another request may change the rest meanwhile."""
        for name, value in validated_data.items():
            setattr(instance, name, value)
        instance.save(update_fields=list(validated_data))
        return instance
