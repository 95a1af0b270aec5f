"""What requests carry: one object or several, and lists of uuids in parameters."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request

from cloudjobs.api.exceptions import Invalid, PointedError

MOST_OBJECTS = 500
Spec = TypeVar("Spec")
Made = TypeVar("Made")


def objects_of(data: Any) -> list[Any]:
    """Return the objects of `{"objects": [{…}]}`, of a bare list, or of one bare object.

    Raises:
        Invalid: there is none, or there are more than a request may carry.
    """
    objects = data.get("objects", [data]) if isinstance(data, dict) else data
    if not isinstance(objects, list) or not objects:
        raise Invalid("The body holds one object, or a list of objects.", "objects")
    if len(objects) > MOST_OBJECTS:
        raise Invalid(f"A request carries at most {MOST_OBJECTS} objects.", "objects")
    return objects


def validate_each(
    serializer_class: type[serializers.Serializer[Any]], objects: list[Any]
) -> list[dict[str, Any]]:
    """Return the validated data of every object.

    Raises:
        ValidationError: naming all faults; of several objects by `objects.{index}.{field}`.
    """
    checked = [serializer_class(data=item) for item in objects]
    faults = {str(i): one.errors for i, one in enumerate(checked) if not one.is_valid()}
    if faults:
        raise serializers.ValidationError(faults["0"] if len(objects) == 1 else {"objects": faults})
    return [one.validated_data for one in checked]


def make_each(specs: list[Spec], make: Callable[[Spec], Made]) -> list[Made]:
    """Return what is made of each; an error points at the one of several that it is about."""
    made = []
    for index, spec in enumerate(specs):
        try:
            made.append(make(spec))
        except PointedError as error:
            if len(specs) > 1:
                error.within(f"objects.{index}")
            raise
    return made


def uuids_in(request: Request, parameter: str) -> frozenset[UUID]:
    """Return the uuids of a parameter such as `?avoid=uuid,uuid`.

    Raises:
        Invalid: one of them is none.
    """
    texts = ",".join(request.query_params.getlist(parameter)).split(",")
    try:
        return frozenset(UUID(text.strip()) for text in texts if text.strip())
    except ValueError:
        raise Invalid(f"{parameter} takes uuids, separated by commas.", parameter) from None
