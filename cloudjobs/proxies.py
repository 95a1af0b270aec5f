"""Which proxies are believed when they tell from where, and how, a request came.

Whoever reaches the web server past the proxy could otherwise pretend any address, and that TLS
was spoken.
"""

from collections.abc import Callable
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO")


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
        return self.get_response(request)


def is_trusted(address: str) -> bool:
    """Is this the address of a proxy of ours? What is no address, as on a Unix socket, is not."""
    try:
        sender = ip_address(address)
    except ValueError:
        return False
    return any(sender in network for network in settings.TRUSTED_PROXIES)
