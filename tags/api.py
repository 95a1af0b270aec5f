"""`/tags/`, and the base of the lists of what has a tag."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cloudjobs.api.bodies import objects_of, validate_each
from cloudjobs.api.openapi.exchanges import Exchange, created, updated
from cloudjobs.api.viewsets import Names, ResourceViewSet
from tags import actions
from tags.actions import TagSpec
from tags.models import Tag, TagLink
from tags.serializers import RESOURCE, TagRequest, TagSerializer

EXAMPLE = {"name": "production", "meta": {"team": "storage"}, "resources": []}


class TagViewSet(ResourceViewSet):
    """The tags of the user who asks, each with what has it."""

    serializer_class = TagSerializer
    exchanges: ClassVar[dict[str, Exchange]] = {
        "create": created(TagRequest, TagSerializer, EXAMPLE),
        "update": updated(TagRequest, TagSerializer, EXAMPLE),
    }
    default_order: ClassVar[tuple[str, ...]] = ("created_at",)
    filter_lookups: ClassVar[dict[str, str]] = {
        "name": "name",
        "name__contains": "name__icontains",
        "uuid": "pk",
    }
    ordering_lookups: ClassVar[dict[str, str]] = {"uuid": "pk", "name": "name"}

    schema_list_methods: ClassVar[Names] = ["get", "post"]
    schema_detail_methods: ClassVar[Names] = ["get", "put", "delete"]
    schema_filtering: ClassVar[dict[str, Any]] = dict.fromkeys(filter_lookups, "exact")
    schema_ordering: ClassVar[Names] = ["uuid", "name"]
    schema_in_older_style = True

    def get_queryset(self) -> QuerySet[Tag]:
        return Tag.objects.owned_by(self.owner).prefetch_related("links")

    @action(detail=False, url_path="detail")
    def detailed_list(self, request: Request) -> HttpResponseBase:
        """Answer the same as the plain list, which is complete already."""
        return self.list(request)

    def create(self, request: Request) -> Response:
        """Make one tag, or several of which all are made or none."""
        given = validate_each(TagRequest, objects_of(request.data))
        tags = actions.create_tags(self.owner, [TagSpec(**one) for one in given])
        return self.made(RESOURCE, tags)

    def update(self, request: Request, uuid: str) -> Response:
        """Change a tag by its full definition."""
        spec = TagSpec(**validate_each(TagRequest, [request.data])[0])
        tag = actions.update_tag(UUID(uuid), self.owner, spec)
        return Response(self.serialize([tag])[0])

    def destroy(self, request: Request, uuid: str) -> Response:
        """Delete one tag."""
        actions.delete_tag(UUID(uuid), self.owner)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Tagged(ResourceViewSet):
    """Narrows the lists of a kind, whose viewset follows it, to what has the tag in the address."""

    kind: ClassVar[str]

    def get_queryset(self) -> QuerySet[Any]:
        tag = self.kwargs["uuid"]
        actions.require_tag(UUID(tag), self.owner)
        return super().get_queryset().filter(TagLink.objects.tagged(self.kind)([tag]))
