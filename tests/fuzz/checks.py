"""What is asked of every answer beyond what schemathesis asks, and how requests are aimed.

Random uuids would find nothing. Most become those of objects of the user who asks, some those of
another user, none of which may ever be answered.
"""

from random import Random
from typing import Any
from urllib.parse import unquote

from schemathesis.core.failures import AcceptedNegativeData

from tests.fuzz.world import World, is_uuid, with_known_uuids

NOTHING: tuple[Any, ...] = ("", None, [], {})  # a parameter without a value
WITHOUT_BODY = {
    "authenticate_asynchronous",
    "cancel",
    "check_login",
    "logout",
    "retry",
    "shutdown",
    "start",
    "stop",
}

MOSTLY = 0.7
RANGES = ("bytes=0-1023", "bytes=-100", "bytes=99999999999999-", "bytes=5-5")  # no whole image


def aim(case: Any, world: World) -> None:
    """Let a request be about objects that exist."""
    kind = case.path.split("/")[3] if case.path.count("/") > 3 else None
    for name, value in list((case.path_parameters or {}).items()):
        if is_uuid(value):
            case.path_parameters[name] = world.replacement(value, kind)
    if case.path.endswith("/download/"):
        case.headers.pop("If-Range", None)
        case.headers["Range"] = Random(str(case.path_parameters)).choice(RANGES)
    if Random(str(case.body)).random() < MOSTLY:
        case.headers.pop("Idempotency-Key", None)  # simple keys are soon used up
    if isinstance(case.body, dict | list):
        case.body = with_known_uuids(case.body, world.replacement)
    if isinstance(case.query, dict):
        case.query = with_known_uuids(case.query, world.replacement)


def is_fault(failure: Any, case: Any) -> bool:
    """Is it one, and not what the document cannot say?

    An action that takes no body ignores what is sent, whatever other actions at its address take;
    and a parameter without a value is one that is not there.
    """
    if not isinstance(failure, AcceptedNegativeData):
        return True
    query = case.query if isinstance(case.query, dict) else {}
    ignores_body = query.get("do") in WITHOUT_BODY
    return not ignores_body and not any(value in NOTHING for value in query.values())


def assert_nothing_foreign(response: Any, world: World) -> None:
    """Fail if the answer names what is another user's, and the request did not."""
    asked = unquote(response.request.url) + text_of(response.request.body)
    answered = text_of(response.content) + str(dict(response.headers))
    found = [each for each in world.secrets if each in answered and each not in asked]
    assert not found, f"names another user's objects: {found}"


def text_of(body: Any) -> str:
    if isinstance(body, bytes):
        return body.decode(errors="replace")
    return body if isinstance(body, str) else ""
