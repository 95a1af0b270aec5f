"""Answers that are kept for when their request is sent again."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


class KeptAnswer(models.Model):
    """The answer to a request that carried an `Idempotency-Key`, for when it is repeated."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField("digest of what was asked", max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.JSONField(default=dict)
    created = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["owner", "key"], name="one_answer_per_key")
        ]

    def __str__(self) -> str:
        return self.key
