"""Filters on key pairs that read as phrases."""

from typing import Any, Self

from django.db.models import QuerySet


class KeyPairQuerySet(QuerySet[Any]):
    def owned_by(self, user: Any) -> Self:
        return self.filter(owner=user)

    def locked(self) -> Self:
        """Return the key pairs with their rows locked until the transaction ends, in one order."""
        return self.order_by("pk").select_for_update(of=("self",), no_key=True)
