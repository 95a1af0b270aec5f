"""Which proxies are believed when they tell from where, and how, a request came, and its id.

Whoever reaches the web server past the proxy could otherwise pretend any address, that TLS was
spoken, or that what is logged belongs to the request of another.
"""

import re
from collections.abc import Callable
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

REQUEST_ID = "HTTP_X_REQUEST_ID"
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", REQUEST_ID)
USABLE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")  # it is logged, kept and sent back


class TrustedProxyMiddleware:
    """Takes off what anybody but `TRUSTED_PROXIES` says in a proxy's name.

    It comes first: `request.headers` is made once, and then keeps what it was made of.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        said = [name for name in FORWARDED if name in request.META]
        if said and not is_trusted(request.META.get("REMOTE_ADDR", "")):
            for name in said:
                del request.META[name]
        elif REQUEST_ID in said and not USABLE_ID.fullmatch(request.META[REQUEST_ID]):
            del request.META[REQUEST_ID]
        return self.get_response(request)


def is_trusted(address: str) -> bool:
    """Is this the address of a proxy of ours? What is no address, as on a Unix socket, is not."""
    try:
        sender = ip_address(address)
    except ValueError:
        return False
    return any(sender in network for network in settings.TRUSTED_PROXIES)
