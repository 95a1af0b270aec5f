"""Parts of the OpenAPI document that are the same wherever they stand."""

from typing import Any

from cloudjobs.api.openapi.exchanges import OpenApi, parameter
from cloudjobs.api.pagination import DEFAULT_LIMIT, LARGEST_NUMBER


def component(name: str, kind: str = "schemas") -> OpenApi:
    """Return a reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def text(description: str, **more: Any) -> OpenApi:
    return {"type": "string", "description": description, **more}


UUID = {"type": "string", "format": "uuid"}
PATH = {"type": "string", "format": "uri-reference"}
NATURAL = {"type": "integer", "format": "int64", "minimum": 0, "maximum": LARGEST_NUMBER}

PARAMETERS = {
    "limit": parameter(
        "limit", {**NATURAL, "default": DEFAULT_LIMIT}, "How many objects to answer; 0 means all"
    ),
    "offset": parameter("offset", {**NATURAL, "default": 0}, "How many objects to pass over first"),
    "fields": parameter(
        "fields",
        {"type": "array", "items": {"type": "string"}},
        "The names of the fields to answer; unknown names are ignored. Without it all are answered",
        style="form",
        explode=False,
    ),
    "format": parameter(
        "format",
        {"type": "string", "enum": ["json"]},
        "Asks for JSON where a browser's `Accept` asks for a page",
        allowEmptyValue=True,
    ),
}

ERROR_TYPES = [
    "backend",
    "billing",
    "concurrency",
    "database",
    "notexist",
    "payment",
    "permission",
    "validation",
]
# The name of each refusal, what it means, and the header that comes along.
REFUSALS: dict[int, tuple[str, str, str]] = {
    400: ("Invalid", "The request cannot be; `error_point` names what is wrong with it.", ""),
    401: ("Unauthorized", "Credentials are missing or wrong.", "WWW-Authenticate"),
    403: (
        "Refused",
        "The object's state, or the user's rights, do not allow it; or the CSRF token is missing.",
        "",
    ),
    404: ("NotFound", "There is no such object or format, or the object is someone else's.", ""),
    406: ("NotAcceptable", "`Accept` allows nothing that there is.", ""),
    409: ("Conflict", "The `Idempotency-Key` was used for another request.", ""),
    411: ("LengthRequired", "The body comes in chunks and does not announce its length.", ""),
    413: ("TooLarge", "The body is larger than a request may be.", ""),
    415: ("UnsupportedType", "The body is of a `Content-Type` that is not taken here.", ""),
    416: ("NotSatisfiable", "What is asked for lies outside of what there is.", "Content-Range"),
    429: ("TooMany", "Too many requests, or too many wrong passwords.", "Retry-After"),
    503: (
        "Unavailable",
        "Another operation uses the object, or storage or the database cannot: try again.",
        "Retry-After",
    ),
}

HEADERS = {
    "Accept-Ranges": text("`bytes`"),
    "Content-Disposition": text("The name of the file"),
    "Content-Range": text("The range, and the size of the whole"),
    "Idempotency-Replayed": text("`true` if the answer is that of an earlier request"),
    "Link": text("Where the chunks of the upload are sent"),
    "Location": text("The path of the object, if one was made", format="uri-reference"),
    "Set-Cookie": text("The cookie that the action is about"),
    "Retry-After": {"type": "integer", "description": "Seconds to wait"},
    "WWW-Authenticate": text("How to log in"),
}

SCHEMAS: OpenApi = {
    "Errors": {
        "type": "array",
        "description": "One entry for each fault.",
        "minItems": 1,
        "items": component("Error"),
    },
    "Error": {
        "type": "object",
        "required": ["error_type", "error_message", "error_point"],
        "properties": {
            "error_type": text("What kind of fault", enum=ERROR_TYPES),
            "error_message": text("A sentence for people"),
            "error_point": {
                "type": ["string", "null"],
                "description": "The field, dotted if it is a nested one",
            },
        },
    },
    "ListMeta": {
        "type": "object",
        "description": "Which part of a list is answered.",
        "required": ["limit", "offset", "total_count"],
        "properties": dict.fromkeys(("limit", "offset", "total_count"), NATURAL),
    },
    "Reference": {
        "type": "object",
        "description": "Another object.",
        "required": ["resource_uri", "uuid"],
        "properties": {"resource_uri": PATH, "uuid": UUID},
    },
    "AddressReference": {
        "type": "object",
        "description": "An IPv4 address, as a reference.",
        "required": ["resource_uri", "uuid"],
        "properties": {"resource_uri": PATH, "uuid": {"type": "string", "format": "ipv4"}},
    },
    "ReferenceRequest": {
        "description": "Another object: its UUID, or an object that holds it, as answers have it.",
        "anyOf": [UUID, {"type": "object", "required": ["uuid"], "properties": {"uuid": UUID}}],
    },
    "ActionDone": {
        "type": "object",
        "description": "The action that was done, or begun.",
        "required": ["action", "result", "uuid"],
        "properties": {
            "action": text("Its name"),
            "result": text("Always the same", enum=["success"]),
            "uuid": UUID,
        },
    },
    "ResourceSchema": {
        "type": "object",
        "description": "What a resource looks like, field by field.",
        "required": [
            "allowed_detail_http_methods",
            "allowed_list_http_methods",
            "default_format",
            "default_limit",
            "fields",
        ],
        "properties": {
            "allowed_detail_http_methods": {"type": "array", "items": {"type": "string"}},
            "allowed_list_http_methods": {"type": "array", "items": {"type": "string"}},
            "default_format": {"type": "string"},
            "default_limit": {"type": "integer"},
            "fields": {"type": "object", "additionalProperties": {"type": "object"}},
            "filtering": {"type": "object", "additionalProperties": {}},
            "ordering": {"type": "array", "items": {"type": "string"}},
        },
    },
}


def header(name: str) -> OpenApi:
    """Return a header of an answer; none is in every answer."""
    schema = dict(HEADERS[name])
    return {"description": schema.pop("description"), "schema": schema}


def refusal(status: int) -> OpenApi:
    """Return the answer with this status, an error list."""
    _, description, name = REFUSALS[status]
    content = {"application/json": {"schema": component("Errors")}}
    body = {"description": description, "content": content}
    return {**body, "headers": {name: header(name)}} if name else body


def fixed_components() -> OpenApi:
    """Return the components that no serializer makes."""
    return {
        "schemas": SCHEMAS,
        "parameters": PARAMETERS,
        "responses": {name: refusal(status) for status, (name, _, _) in REFUSALS.items()},
    }
