"""Filters on servers that read as phrases."""

from typing import Self

from accounts.querysets import OwnedQuerySet

KIND = "servers"


class ServerQuerySet(OwnedQuerySet):
    def with_parts(self) -> Self:
        """Return the servers with their mounts, network cards and keys fetched."""
        return self.prefetch_related("mounts", "nics", "pubkeys")
