"""Filters on servers that read as phrases."""

from typing import Any, Self

from django.db.models import QuerySet

KIND = "servers"


class ServerQuerySet(QuerySet[Any]):
    def owned_by(self, user: Any) -> Self:
        return self.filter(owner=user)

    def locked(self) -> Self:
        """Return the servers with their rows locked until the transaction ends, in one order."""
        return self.order_by("pk").select_for_update(of=("self",), no_key=True)

    def with_parts(self) -> Self:
        """Return the servers with their mounts, network cards and keys fetched."""
        return self.prefetch_related("mounts", "nics", "pubkeys")
