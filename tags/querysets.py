"""Filters on the links between tags and objects, and the tags of many objects at once."""

from collections.abc import Iterable
from typing import Any, Self
from uuid import UUID

from django.db.models import Q, QuerySet

from cloudjobs.api.filters import Condition, is_uuid


class TagLinkQuerySet(QuerySet[Any]):
    def of_object(self, kind: str, uuid: UUID) -> Self:
        return self.filter(kind=kind, object_uuid=uuid)

    def tags_of(self, kind: str, uuids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
        """Return the tags of each of these objects, in one query."""
        links = self.filter(kind=kind, object_uuid__in=list(uuids)).order_by("pk")
        tags: dict[UUID, list[UUID]] = {}
        for uuid, tag in links.values_list("object_uuid", "tag_id"):
            tags.setdefault(uuid, []).append(tag)
        return tags

    def tagged(self, kind: str) -> Condition:
        """Return the filter `tag`: has an object of this kind one of these tags?"""

        def condition(values: list[str]) -> Q:
            links = self.filter(kind=kind, tag__in=[text for text in values if is_uuid(text)])
            return Q(pk__in=links.values("object_uuid"))

        return condition
