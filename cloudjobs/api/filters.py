"""Query parameters that filter and order a list.

A view declares `filter_lookups`, e.g. `{"name": "name", "name__contains": "name__icontains"}`,
and `ordering_lookups`, e.g. `{"name": "name"}`; where a lookup will not do, `filter_conditions` has
a function that makes a condition of the values. `name=a,b` is OR, a repeated parameter is AND, a
backslash escapes a comma and itself. A parameter that is no filter is ignored.
"""

import re
from collections.abc import Callable
from functools import partial, reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.views import APIView

from cloudjobs.api.exceptions import Invalid

MOST_VALUES = 200
LONGEST_VALUE = 255  # characters; no column that is filtered holds more
ESCAPED_OR_PLAIN = re.compile(r"(?:\\.|[^,\\])+", re.DOTALL)
Condition = Callable[[list[str]], Q]
ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class NamedParameterFilter(BaseFilterBackend):
    """Applies the view's `filter_lookups` and `filter_conditions`."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        lookups: dict[str, str] = getattr(view, "filter_lookups", {})
        conditions: dict[str, Condition] = {
            **{parameter: partial(any_of, lookup) for parameter, lookup in lookups.items()},
            **getattr(view, "filter_conditions", {}),
        }
        for parameter, condition in conditions.items():
            for text in request.query_params.getlist(parameter):
                queryset = queryset.filter(condition(values_in(text, parameter)))
        return queryset


class StableOrdering(BaseFilterBackend):
    """Orders by `order_by`, else by the view's `default_order`; ties are broken by the key."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        lookups: dict[str, str] = getattr(view, "ordering_lookups", {})
        wanted = request.query_params.get("order_by")
        if not wanted:
            return queryset.order_by(*getattr(view, "default_order", ()), "pk")
        name = wanted.removeprefix("-")
        if name not in lookups:
            raise Invalid(f"This list can be ordered by: {', '.join(lookups)}.", "order_by")
        direction = "-" if wanted.startswith("-") else ""
        return queryset.order_by(direction + lookups[name], "pk")


def values_in(text: str, parameter: str) -> list[str]:
    """Return the values of a parameter.

    Raises:
        Invalid: there are too many.
    """
    values = split_values(text)
    if len(values) > MOST_VALUES:
        raise Invalid(f"A filter takes at most {MOST_VALUES} values.", parameter)
    return values


def split_values(text: str) -> list[str]:
    r"""Return the values of a parameter: `a,b\,c` gives `["a", "b,c"]`."""
    return [ESCAPE.sub(r"\1", value) for value in ESCAPED_OR_PLAIN.findall(text)]


def any_of(lookup: str, values: list[str]) -> Q:
    """Return the condition that at least one value matches; no usable value matches nothing."""
    usable = [value for value in values if is_comparable(lookup, value)]
    if "__" not in lookup:
        return Q(**{f"{lookup}__in": usable})
    return reduce(or_, (Q(**{lookup: value}) for value in usable), Q(pk__in=[]))


def is_comparable(lookup: str, value: str) -> bool:
    """Can a database compare its column with this value at all?"""
    if lookup == "pk" or lookup.endswith("_id"):
        return is_uuid(value)
    if len(value) > LONGEST_VALUE:
        return False
    return value.isprintable() or not any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in value)


def is_uuid(text: str) -> bool:
    """Is this the text of a UUID?"""
    try:
        UUID(text)
    except ValueError:
        return False
    return True
