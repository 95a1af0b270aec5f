"""`Idempotency-Key`: a request that is sent again, as its answer was lost, does its work once.

The key, what was asked under it and the answer are written in the transaction that does the work.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.db import transaction
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from cloudjobs.api.exceptions import Conflict, Invalid
from jobs.asking import after_asking
from jobs.models import KeptAnswer

HEADER = "Idempotency-Key"
LONGEST_KEY = 255


def answer_once(request: Request, act: Callable[[], Response]) -> Response:
    """Answer by `act`, or under a key that was used already with what was answered then.

    An error is not kept: the same key may try again.

    Raises:
        Invalid: the key is empty or too long.
        Conflict: something else was asked under it.
    """
    key = request.headers.get(HEADER)
    return act() if key is None else answer_under(checked(key), request, act)


def checked(key: str) -> str:
    if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
        raise Invalid(f"A key has 1 to {LONGEST_KEY} printable characters.", HEADER)
    return key


@after_asking
@transaction.atomic
def answer_under(key: str, request: Request, act: Callable[[], Response]) -> Response:
    """Keep the answer under the key; a request that comes meanwhile waits for it."""
    asked = fingerprint(request)
    kept, is_new = KeptAnswer.objects.get_or_create(
        owner_id=request.user.pk, key=key, defaults={"fingerprint": asked}
    )
    if not is_new:
        return repeat(kept, asked)
    response = act()
    kept.status, kept.body = response.status_code, plain(response.data)
    kept.save(update_fields=["status", "body"])
    return response


def repeat(kept: KeptAnswer, asked: str) -> Response:
    if kept.fingerprint != asked:
        raise Conflict("This key was used for another request.", HEADER)
    return Response(kept.body, kept.status, headers={"Idempotency-Replayed": "true"})


def fingerprint(request: Request) -> str:
    """Return a digest of the address and the body, however that is spaced."""
    asked = [request.method, request.get_full_path(), request.data]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def plain(data: Any) -> Any:
    """Return data as they are after a journey as JSON."""
    return json.loads(JSONRenderer().render(data))
