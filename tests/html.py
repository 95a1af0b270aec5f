"""What a browser finds in a page: where it polls, and which elements an answer swaps."""

import re
from html import unescape
from typing import Any

from django.test import Client


def text_of(html: str) -> str:
    """Return what a reader sees, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def body_of(response: Any) -> str:
    assert response.status_code == 200
    return response.content.decode()


def poll_address(html: str) -> str:
    """Return the address that the page polls, or nothing when it does not."""
    live = re.search(r'<div id="live".*?</div>', html, re.DOTALL)
    assert live, "the page has no live element"
    address = re.search(r'hx-get="([^"]*)"', live.group())
    return unescape(address.group(1)) if address else ""


def interval_of(html: str) -> int:
    found = re.search(r'data-interval="(\d+)"', html)
    return int(found.group(1)) if found else 0


def swapped_in(html: str) -> set[str]:
    """Return the ids of the elements that an answer swaps by themselves."""
    found = set()
    for tag in re.findall(r"<[a-z]+[^>]*hx-swap-oob[^>]*>", html):
        match = re.search(r'\bid="([^"]+)"', tag)
        assert match
        found.add(match.group(1))
    return found


def poll(client: Client, html: str) -> Any:
    """Ask again as the page does."""
    return client.get(poll_address(html), headers={"HX-Request": "true"})
