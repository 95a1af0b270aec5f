"""Pages that stay up to date: what a poll answers, and when the next one is due.

A page names its parts. The poll's address carries a token, `v`, of what the browser shows; the
answer holds the parts that differ from it, each swapped by its id, and a new `#live` element with
the next token. Nothing differs: 204. Nothing can change any more: `#live` comes without an
address, and the polling ends.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers

DIGEST_LENGTH = 5  # letters; 25 bits for each part of a page
QUICK, SOON, CALM, RARE = 1, 2, 3, 30  # seconds between two polls
MANY = 10  # of that many moving rows on, a page asks less often


@dataclass(frozen=True)
class Part:
    """A piece of a page that is swapped by itself, when what it shows has changed.

    `name` is the id of its element and `shown` all that its template reads, under that name.
    `key` stands for what is compared, where that is not all that is shown: the parts that lie
    `inside` another one are compared by themselves, and come along with it when it is swapped.
    """

    name: str
    template: str
    shown: Any
    key: Any = None
    inside: str = ""

    @cached_property
    def digest(self) -> str:
        """What a poll's address holds of it."""
        text = repr((self.name, self.shown if self.key is None else self.key))
        digest = hashlib.blake2s(text.encode(), digest_size=DIGEST_LENGTH).digest()
        return base64.b32encode(digest).decode()[:DIGEST_LENGTH]

    def render(self, request: HttpRequest) -> str:
        """Return the part as it is swapped in; a template element lets it be rows or cells."""
        html = render_to_string(self.template, {"shown": self.shown, "is_swap": True}, request)
        return f"<template>{html}</template>"


@dataclass(frozen=True)
class Live:
    """The element that polls: where, how often (in seconds, 0 is never again), and the counts."""

    path: str
    interval: int
    running: str = ""
    failed: str = ""

    def as_part(self) -> Part:
        return Part("live", "partials/live.html", None, (self.interval, self.running, self.failed))


def live_page(
    request: HttpRequest, template: str, live: Live, parts: Sequence[Part], **context: Any
) -> HttpResponse:
    """Answer with the whole page, or with what has changed when the page polls."""
    context["live"], context["live_url"] = live, live_url(live, parts)
    if is_poll(request):
        response = poll_answer(request, parts, context)
    else:
        response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def is_poll(request: HttpRequest) -> bool:
    return "HX-Request" in request.headers and "v" in request.GET


def poll_answer(
    request: HttpRequest, parts: Sequence[Part], context: dict[str, Any]
) -> HttpResponse:
    """Return the changed parts and the next `#live`, or 204."""
    live: Live = context["live"]
    changed = changed_parts([live.as_part(), *parts], request.GET["v"])
    if not changed and live.interval:
        return HttpResponse(status=204)
    html = [render_to_string("partials/live.html", context, request)]
    return HttpResponse(html + [part.render(request) for part in changed if part.name != "live"])


def changed_parts(parts: Iterable[Part], token: str) -> list[Part]:
    """Return the parts that a browser with this token does not show yet."""
    step = DIGEST_LENGTH
    known = {token[place : place + step] for place in range(0, len(token), step)}
    changed: list[Part] = []
    covered: set[str] = set()  # what is swapped, and all that lies inside of it
    for part in parts:
        if part.inside in covered:
            covered.add(part.name)
        elif part.digest not in known:
            covered.add(part.name)
            changed.append(part)
    return changed


def live_url(live: Live, parts: Iterable[Part]) -> str:
    """Return the address of the next poll, or nothing when there is none."""
    if not live.interval:
        return ""
    token = "".join(part.digest for part in [live.as_part(), *parts])
    separator = "&" if "?" in live.path else "?"
    return f"{live.path}{separator}{urlencode({'v': token})}"


def pace(moving: int) -> int:
    """Return the seconds to the next poll of a list with so many moving rows."""
    if not moving:
        return RARE
    return SOON if moving < MANY else CALM
