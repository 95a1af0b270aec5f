"""Filters on drives that read as phrases."""

from typing import Any, Self

from django.db.models import QuerySet

KIND = "drives"
SERVER_AT_WORK = ("starting", "running", "stopping")


class DriveQuerySet(QuerySet[Any]):
    def owned_by(self, user: Any) -> Self:
        return self.filter(owner=user)

    def in_use(self) -> Self:
        """Return the drives of servers that are not at rest: their bytes may change."""
        return self.filter(mounts__server__status__in=SERVER_AT_WORK).distinct()

    def locked(self) -> Self:
        """Return the drives with their rows locked until the transaction ends, in one order.

        Nothing but these rows: a lock on their owner would stand in the way of every insert.
        """
        return self.order_by("pk").select_for_update(of=("self",), no_key=True)
