"""What a request may carry and what answers it, where serializer and address do not tell.

A view has `exchanges`: by the names of its methods, and by those that `?do=` takes.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from rest_framework import serializers, status

AnySerializer = type[serializers.BaseSerializer[Any]]
Answer = AnySerializer | dict[str, Any] | None
OpenApi = dict[str, Any]


class Shape(Enum):
    """How objects stand in a body."""

    BARE = "the object itself"
    OBJECTS = '`{"objects": […]}`'
    LIST = "`meta` and `objects`"
    ANY = "the object itself, a list, or `objects`"


def parameter(name: str, schema: OpenApi, text: str, place: str = "query", **more: Any) -> OpenApi:
    """Return a parameter as OpenAPI writes it."""
    return {"name": name, "in": place, "schema": schema, "description": text, **more}


AVOID = parameter(
    "avoid",
    {"type": "array", "items": {"type": "string", "format": "uuid"}},
    "UUIDs of drives, or of servers, whose storage hosts are to be avoided where that can be",
    style="form",
    explode=False,
)
IDEMPOTENCY_KEY = parameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    "The request is done once, however often it is sent with the same key",
    "header",
)


@dataclass(frozen=True)
class Exchange:
    """One request and its answer.

    `query` has parameters beside those that every list or object takes; a serializer stands for a
    parameter for each of its fields. `raw` are bodies that are not JSON, by their types. `also` are
    statuses of the same answer, `errors` those of refusals beyond what every such request may meet.
    """

    answer: Answer = None
    narrowed: AnySerializer | None = None  # what `fields` narrows, if not the answer
    shape: Shape = Shape.BARE
    status: int = status.HTTP_200_OK
    media_type: str = "application/json"
    body: Answer = None
    body_shape: Shape = Shape.BARE
    raw: OpenApi | None = None
    query: tuple[Any, ...] = ()
    also: tuple[int, ...] = ()
    errors: tuple[int, ...] = ()
    headers: tuple[str, ...] = ()
    example: Any = None
    needs_login: bool = True


def listed(answer: Answer, narrowed: AnySerializer | None = None) -> Exchange:
    """A list; a short one has with `fields` those of the whole object."""
    return Exchange(answer, narrowed, Shape.LIST)


def created(
    body: AnySerializer,
    answer: AnySerializer,
    example: OpenApi,
    headers: tuple[str, ...] = ("Location",),
    **more: Any,
) -> Exchange:
    """One object or several are made, all or none."""
    return Exchange(
        answer,
        shape=Shape.OBJECTS,
        status=status.HTTP_201_CREATED,
        body=body,
        body_shape=Shape.ANY,
        headers=headers,
        example=example,
        **more,
    )


def updated(body: AnySerializer, answer: AnySerializer, example: OpenApi) -> Exchange:
    """An object is changed by its full definition."""
    return Exchange(answer, body=body, example=example)


def deleted(*query: OpenApi) -> Exchange:
    return Exchange(status=status.HTTP_204_NO_CONTENT, query=query)


def deleted_several(body: AnySerializer, *query: OpenApi) -> Exchange:
    """What the body lists is deleted, all or none."""
    example = {"objects": [{"uuid": "0e305bb9-f512-4d4a-894c-4a733cae570f"}]}
    return Exchange(
        status=status.HTTP_204_NO_CONTENT,
        body=body,
        body_shape=Shape.ANY,
        query=query,
        errors=(404,),
        example=example,
    )


def cloned(
    body: AnySerializer, answer: AnySerializer, example: OpenApi, shape: Shape = Shape.OBJECTS
) -> Exchange:
    """A clone is begun; a repetition under the same key is answered as the first time."""
    return Exchange(
        answer,
        shape=shape,
        status=status.HTTP_202_ACCEPTED,
        body=body,
        query=(AVOID, IDEMPOTENCY_KEY),
        errors=(409,),
        headers=("Idempotency-Replayed",),
        example=example,
    )
