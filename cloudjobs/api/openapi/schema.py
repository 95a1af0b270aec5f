"""What OpenAPI tells of an operation, taken from the view's conventions and its `exchanges`."""

import re
from collections import defaultdict
from functools import cached_property
from typing import Any

from drf_spectacular.drainage import warn
from drf_spectacular.plumbing import get_doc

from cloudjobs.api.bodies import MOST_OBJECTS
from cloudjobs.api.openapi.components import REFUSALS, UUID, component, header
from cloudjobs.api.openapi.exchanges import (
    Exchange,
    OpenApi,
    Shape,
    deleted,
    listed,
    parameter,
)
from cloudjobs.api.openapi.fields import WireFields, has_required, parameters_of
from cloudjobs.api.renderers import OwnFormNegotiation

ALWAYS = {401, 429, 503}
OF_A_CHANGE = {403, 411}
OF_A_BODY = {400, 413, 415}
VERBS = {
    "create": "create",
    "describe": "schema",
    "destroy": "delete",
    "destroy_several": "delete_several",
    "detailed_list": "list_detail",
    "dispatch_action": "act",
    "put": "update",
    "retrieve": "get",
}
ACTIONS_TEXT = "What `do` names; what takes no body ignores it:"
SUMMARIES = {
    "list": "Answer one page of the list",
    "retrieve": "Answer one object",
}


class WireSchema(WireFields):
    """The schema of every view; what follows the conventions needs no decoration.

    A view may say by `openapi_tag` where it belongs, and by `openapi_name` what its ids begin with.
    """

    view: Any

    @property
    def handler(self) -> str:
        """The name of the view's method that answers."""
        return getattr(self.view, "action", None) or self.method.lower()

    @property
    def is_action(self) -> bool:
        return (
            hasattr(self.view, "action_methods")
            and self.method == "POST"
            and (self.handler in {"dispatch_action", "post"})
        )

    def is_excluded(self) -> bool:
        """Actions of a resource that has none are no operation."""
        return self.is_action and not self.view.action_methods

    # --- names and texts ---

    @property
    def words(self) -> list[str]:
        """The fixed parts of the path behind the prefix."""
        below = re.sub(self.path_prefix, "", self.path, flags=re.IGNORECASE)
        return [each for each in below.strip("/").split("/") if each and "{" not in each]

    def get_operation_id(self) -> str:
        verb = "act" if self.is_action else VERBS.get(self.handler, self.handler)
        words = self.words or ["root"]
        named = ["named"] if "{name}" in self.path else []
        if not hasattr(self.view, "action") and not self.is_action:
            return "_".join([getattr(self.view, "openapi_name", "_".join(words)), verb])
        inner = [each for each in words[1:] if each != "detail"] if "list" in verb else []
        return "_".join([words[0], verb, *inner, *named])

    def get_tags(self) -> list[str]:
        own: str | None = getattr(self.view, "openapi_tag", None)
        return [own or (self.words[0] if hasattr(self.view, "action") else "installation")]

    def get_summary(self) -> str:
        if self.is_action:
            return f"Act: {', '.join(self.exchanges)}"
        texts = self.documentation.split("\n\n")
        return SUMMARIES.get(self.handler) or " ".join(texts[0].split()).rstrip(".")

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular has it
        if self.is_action:
            return "\n".join([ACTIONS_TEXT, "", *map(self.action_line, self.exchanges)])
        return "\n\n".join(self.documentation.split("\n\n")[1:])

    def action_line(self, name: str) -> str:
        told = get_doc(getattr(type(self.view), self.view.action_methods[name]))
        return f"- `{name}`: {' '.join(without_errors(told).split())}"

    @property
    def documentation(self) -> str:
        """The text of the method that answers, else that of the view."""
        own = getattr(type(self.view), self.handler, None)
        return without_errors(get_doc(own if own and own.__doc__ else type(self.view)))

    # --- what may be asked, and what is answered ---

    @cached_property
    def exchanges(self) -> dict[str, Exchange]:
        """The exchanges of the operation: one, or one for each value of `do`."""
        names = self.view.action_methods if self.is_action else [self.handler]
        return {name: self.exchange(name) for name in names}

    def exchange(self, name: str) -> Exchange:
        known: dict[str, Exchange] = getattr(self.view, "exchanges", {})
        if name in known:
            return known[name]
        if name in {"list", "detailed_list"}:
            return listed(self.view.get_serializer_class(), self.view.serializer_class)
        if name == "retrieve":
            return Exchange(self.view.get_serializer_class())
        if name == "destroy":
            return deleted()
        if name == "describe":
            return Exchange(component("ResourceSchema"))
        warn(f"{type(self.view).__name__}.exchanges does not tell of {name!r}.")
        return Exchange({"type": "object"})

    # --- parameters ---

    def _get_parameters(self) -> list[OpenApi]:
        found = [*self.path_parameters(), *self.action_parameters(), *self.list_parameters()]
        own: dict[Any, OpenApi] = {}
        for each in (each for one in self.exchanges.values() for each in one.query):
            several = [each] if isinstance(each, dict) else parameters_of(self, each)
            own |= {one.get("$ref") or (one["name"], one["in"]): one for one in several}
        if self.method == "GET":
            found += [component("fields", "parameters")] if self.can_be_narrowed else []
            found += [component("format", "parameters")] if self.is_negotiated else []
        in_path = {one["name"] for one in self.path_parameters()}
        return [*found, *(one for one in own.values() if one.get("name") not in in_path)]

    def path_parameters(self) -> list[OpenApi]:
        schemas = {"uuid": (UUID, "UUID of the object"), "name": ({"type": "string"}, "Its name")}
        names = re.findall(r"{(\w+)}", self.path)
        return [parameter(name, *schemas[name], "path", required=True) for name in names]

    def action_parameters(self) -> list[OpenApi]:
        schema = {"type": "string", "enum": list(self.exchanges)}
        return [parameter("do", schema, "What is to be done", required=True)] * self.is_action

    def list_parameters(self) -> list[OpenApi]:
        if not self.is_list:
            return []
        paging = [component("limit", "parameters"), component("offset", "parameters")]
        return [*paging, *self.ordering(), *self.filters()]

    def ordering(self) -> list[OpenApi]:
        names = getattr(self.view, "ordering_lookups", {})
        orders = [sign + name for name in names for sign in ("", "-")]
        text = "The field to order by; a minus turns the order around"
        return [parameter("order_by", {"type": "string", "enum": orders}, text)] if orders else []

    def filters(self) -> list[OpenApi]:
        lookups = getattr(self.view, "filter_lookups", {})
        conditions = getattr(self.view, "filter_conditions", {})
        return [
            parameter(name, {"type": "string"}, filter_text(name))
            for name in sorted({*lookups, *conditions})
        ]

    @property
    def is_list(self) -> bool:
        return any(one.shape is Shape.LIST for one in self.exchanges.values())

    @property
    def can_be_narrowed(self) -> bool:
        return any(self.is_narrowed(one) for one in self.exchanges.values())

    @property
    def is_negotiated(self) -> bool:
        return not issubclass(self.view.content_negotiation_class, OwnFormNegotiation)

    # --- bodies ---

    def _get_request_body(self, direction: str = "request") -> OpenApi | None:
        bodies = {name: one for name, one in self.exchanges.items() if one.body}
        raw = [one.raw for one in self.exchanges.values() if one.raw]
        if raw:
            kinds = {kind: {"schema": each} for kind, each in raw[0].items()}
            return {"content": kinds, "required": True}
        if not bodies:
            return None
        schemas = [self.body(one) for one in bodies.values()]
        content: OpenApi = {"schema": any_of(schemas)}
        examples = {name: {"value": one.example} for name, one in bodies.items() if one.example}
        if examples:
            content["examples"] = examples
        needed = len(bodies) == len(self.exchanges) and all(map(is_needed, bodies.values()))
        body: OpenApi = {"content": {"application/json": content}}
        return {**body, "required": True} if needed else body

    def body(self, exchange: Exchange) -> OpenApi:
        one = self.of_body(exchange.body)
        if exchange.body_shape is not Shape.ANY:
            return one
        several = {"type": "array", "items": one, "minItems": 1, "maxItems": MOST_OBJECTS}
        named = {"type": "object", "required": ["objects"], "properties": {"objects": several}}
        return {"anyOf": [named, one, several]}

    # --- answers ---

    def _get_response_bodies(self, direction: str = "response") -> OpenApi:
        by_status = defaultdict(list)
        for one in self.exchanges.values():
            for each in (one.status, *one.also):
                by_status[each].append(one)
        answers = {str(status): self.answers(several) for status, several in by_status.items()}
        refusals = {
            str(status): component(REFUSALS[status][0], "responses")
            for status in sorted(self.refusals())
            if str(status) not in answers
        }
        return {**answers, **refusals}

    def answers(self, exchanges: list[Exchange]) -> OpenApi:
        """Return the answer of exchanges that have one status."""
        answer: OpenApi = {"description": "Done."}
        bodies: dict[str, list[OpenApi]] = defaultdict(list)
        for one in exchanges:
            if one.answer:
                bodies[one.media_type].append(self.answer(one))
        if bodies:
            answer["content"] = {kind: {"schema": any_of(each)} for kind, each in bodies.items()}
        names = dict.fromkeys(name for one in exchanges for name in one.headers)
        if names:
            answer["headers"] = {name: header(name) for name in names}
        return answer

    def answer(self, exchange: Exchange) -> OpenApi:
        """Return the schema of an answer's body."""
        narrow = self.is_narrowed(exchange)
        one = self.of_answer(exchange.answer)
        if narrow:
            one = {"anyOf": [one, self.part_of(exchange.narrowed or exchange.answer)]}
        if exchange.shape is Shape.BARE:
            return one
        properties = {"objects": {"type": "array", "items": one}}
        if exchange.shape is Shape.LIST:
            properties = {"meta": component("ListMeta"), **properties}
        schema = {"type": "object", "required": list(properties), "properties": properties}
        name = self.of_answer(exchange.answer).get("$ref", "").rsplit("/", 1)[-1]
        return self.named(f"{name}{exchange.shape.name.title()}", schema) if name else schema

    def is_narrowed(self, exchange: Exchange) -> bool:
        return self.method == "GET" and self.may_be_narrowed(exchange.answer)

    def refusals(self) -> set[int]:
        """Return the statuses by which the operation may refuse."""
        exchanges = self.exchanges.values()
        carries = self.method == "POST" or any(one.body for one in exchanges)
        changes = self.method != "GET"
        asks = carries or self.is_list or self.is_action or any(one.query for one in exchanges)
        return {
            *ALWAYS,
            *({404} if self.method == "GET" or "{uuid}" in self.path else ()),
            *({406} if self.is_negotiated else ()),
            *(OF_A_CHANGE if changes else ()),
            *(OF_A_BODY if carries else ()),
            *({400} if asks else ()),
            *(status for one in exchanges for status in one.errors),
        }

    def get_auth(self) -> list[OpenApi]:
        """Return the ways to log in; an empty one says that nobody has to."""
        auths = super().get_auth()
        free = not all(one.needs_login for one in self.exchanges.values())
        return [*auths, {}] if free and {} not in auths else auths


def without_errors(text: str) -> str:
    """Return a docstring without what it tells of exceptions."""
    return re.split(r"\n\s*Raises:", text)[0].strip()


def filter_text(name: str) -> str:
    if name.endswith("contains"):
        return "Only what has this in its name, in upper or lower case; a comma means OR"
    return f"Only what has this `{name}`; a comma means OR, a backslash escapes it"


def any_of(schemas: list[OpenApi]) -> OpenApi:
    """Return the schema of what is one of these, each told once."""
    different = [each for place, each in enumerate(schemas) if each not in schemas[:place]]
    return different[0] if len(different) == 1 else {"anyOf": different}


def is_needed(exchange: Exchange) -> bool:
    return isinstance(exchange.body, dict) or has_required(exchange.body)  # type: ignore[arg-type]
