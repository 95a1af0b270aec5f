"""The key pair: an SSH key that servers may have, and its private half if it is kept here."""

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.querysets import OwnedQuerySet


class KeyPair(models.Model):
    """An SSH key. The private half lies sealed in the database, and only its owner reads it."""

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="keypairs"
    )
    name = models.CharField(max_length=255)
    public_key = models.TextField(help_text="As in an authorized_keys file")
    sealed_private_key = models.TextField(blank=True, default="", editable=False)
    fingerprint = models.CharField("MD5 fingerprint", max_length=47)
    meta = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = OwnedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["created_at", "uuid"]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["owner", "created_at", "uuid"], name="keypair_list")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def has_private_key(self) -> bool:
        return bool(self.sealed_private_key)
