"""What can have tags. An app registers its own in `ready()`, so tags knows none of them."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

Owned = Callable[[Any], Any]

_kinds: dict[str, Owned] = {}


def register(kind: str, owned: Owned) -> None:
    """Let the objects of a kind have tags; `owned` returns the query for those of a user."""
    _kinds[kind] = owned


def kinds_of(owner: Any, uuids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the kind of each of these objects, if the owner has it; their rows are locked.

    In the order in which they were registered: servers, drives, snapshots, as everywhere.
    """
    wanted = list(uuids)
    kinds: dict[UUID, str] = {}
    for kind, owned in _kinds.items():
        found = owned(owner).filter(pk__in=wanted).locked()
        kinds |= dict.fromkeys(found.values_list("pk", flat=True), kind)
    return kinds
