"""Filters that read as phrases, on whatever has an owner."""

from typing import Any, Self

from django.db.models import QuerySet


class OwnedQuerySet(QuerySet[Any]):
    """Of what belongs to users: drives, snapshots, servers, key pairs, tags."""

    def owned_by(self, user: Any) -> Self:
        return self.filter(owner=user)

    def locked(self) -> Self:
        """Return the objects with their rows locked until the transaction ends, in one order.

        Nothing but these rows: a lock on their owner would stand in the way of every insert.
        """
        return self.order_by("pk").select_for_update(of=("self",), no_key=True)
