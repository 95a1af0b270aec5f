"""The tag: a name that its owner gives to a group of their things."""

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.querysets import OwnedQuerySet
from tags.querysets import TagLinkQuerySet


class Tag(models.Model):
    """A name for a group of drives and servers, all of one owner.

    Who links one with objects locks the objects before the tag.
    """

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tags"
    )
    name = models.CharField(max_length=255)
    meta = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = OwnedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["created_at", "uuid"]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["owner", "created_at", "uuid"], name="tag_list")
        ]

    def __str__(self) -> str:
        return self.name


class TagLink(models.Model):
    """One of the things that have a tag: what kind it is, as the API calls it, and its key."""

    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="links")
    kind = models.CharField(max_length=32)
    object_uuid = models.UUIDField()

    objects: ClassVar[Any] = TagLinkQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["tag", "kind", "object_uuid"], name="one_link_per_tag_and_object"
            )
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["kind", "object_uuid"], name="tag_link_object")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_uuid}"
