"""What every resource's viewset does alike: narrow, list, describe, and dispatch its actions."""

from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from cloudjobs.api.exceptions import Invalid
from cloudjobs.api.fields import only_fields, resource_uri
from cloudjobs.api.filters import Condition
from cloudjobs.api.pagination import CHUNK_ROWS, asked_window, stream_list
from cloudjobs.api.schema import describe_resource

Names = list[str]
Objects = list[Any]  # names of their own, as `list` is a method of every viewset
UUID_PATTERN = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"


class ResourceViewSet(GenericViewSet[Any]):
    """Base of all resources; a subclass says what it is by its class attributes.

    `action_methods` maps the names that `?do=` takes to methods of the viewset;
    `schema_serializer_class` is there if the schema tells of more than answers have.
    """

    lookup_field = "pk"
    lookup_url_kwarg = "uuid"
    lookup_value_regex = UUID_PATTERN

    action_methods: ClassVar[dict[str, str]] = {}
    filter_lookups: ClassVar[dict[str, str]] = {}
    filter_conditions: ClassVar[dict[str, Condition]] = {}
    ordering_lookups: ClassVar[dict[str, str]] = {}
    default_order: ClassVar[tuple[str, ...]] = ()

    schema_serializer_class: ClassVar[type[BaseSerializer[Any]] | None] = None
    schema_list_methods: ClassVar[Names] = ["get"]
    schema_detail_methods: ClassVar[Names] = ["get"]
    schema_filtering: ClassVar[dict[str, Any]] = {}
    schema_ordering: ClassVar[Names] = []
    schema_in_older_style: ClassVar[bool] = False

    @property
    def owner(self) -> Any:
        """The user who asks; permission classes have let nobody pass who is not logged in."""
        return self.request.user

    def get_object(self) -> Any:
        """Return the user's object; filters and order are for lists."""
        queryset = self.get_queryset()
        try:
            return queryset.order_by().get(pk=self.kwargs["uuid"])
        except queryset.model.DoesNotExist:
            raise NotFound from None

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response | StreamingHttpResponse:
        """Answer one page, as a stream if it may be a long one."""
        queryset = self.filter_queryset(self.get_queryset())
        limit, offset = asked_window(request)
        if not 0 < limit <= CHUNK_ROWS and self.answers_json(request):
            return self.stream(queryset, limit, offset)
        page = self.paginate_queryset(queryset)
        return self.get_paginated_response(self.serialize(page or []))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Answer one object."""
        return Response(self.serialize([self.get_object()])[0])

    @action(detail=False, url_path="schema", filter_backends=[])
    def describe(self, request: Request) -> Response:
        """Answer the schema of this resource."""
        schema = describe_resource(
            (self.schema_serializer_class or self.get_serializer_class())(),
            list_methods=self.schema_list_methods,
            detail_methods=self.schema_detail_methods,
            filtering=self.schema_filtering,
            ordering=self.schema_ordering,
            older_style=self.schema_in_older_style,
        )
        return Response(schema)

    def dispatch_action(self, request: Request, uuid: str) -> Response:
        """Call the method that `?do=` names.

        Raises:
            Invalid: `do` is missing or names no action of this resource.
        """
        name = request.query_params.get("do")
        if name not in self.action_methods:
            known = ", ".join(self.action_methods)
            raise Invalid(f"The parameter do names an action: {known}.", "do")
        response: Response = getattr(self, self.action_methods[name])(request, uuid)
        return response

    def made(self, resource: str, objects: Objects) -> Response:
        """Answer what was made; where it is, if it is one object."""
        uri = resource_uri(resource, objects[0].pk)
        headers = {"Location": uri} if len(objects) == 1 else None
        body = {"objects": self.serialize(objects)}
        return Response(body, status.HTTP_201_CREATED, headers=headers)

    def serialize(self, objects: Iterable[Any]) -> Objects:
        """Return the JSON of several objects; a subclass may fetch what belongs to them first."""
        wanted = only_fields(self.request)
        serializer = shared_serializer(self.get_serializer_class(), wanted)  # type: ignore[arg-type]
        return [serializer.to_representation(item) for item in objects]

    def answers_json(self, request: Request) -> bool:
        return isinstance(request.accepted_renderer, JSONRenderer)

    def stream(self, queryset: QuerySet[Any], limit: int, offset: int) -> StreamingHttpResponse:
        parts = stream_list(queryset, limit, offset, self.serialize)
        begun = next(parts)
        return StreamingHttpResponse(
            chain([begun], parts), content_type="application/json; charset=utf-8"
        )


@lru_cache(maxsize=128)
def shared_serializer(
    serializer_class: Any, only_fields: frozenset[str] | None
) -> BaseSerializer[Any]:
    """Return a serializer for output only, made once.

    Making one copies all of its fields, which takes longer than writing an object with it; as it
    keeps no state while it writes, one serves all requests.
    """
    return serializer_class(context={"only_fields": only_fields})
