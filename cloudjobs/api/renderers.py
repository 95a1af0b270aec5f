"""The API as a browser shows it, and what is answered in a form of its own."""

from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BrowsableAPIRenderer


class BrowsableRenderer(BrowsableAPIRenderer):
    """Pages without a filter form: ours are told by each resource's schema.

    It would also ask for the objects of a user who has not logged in. And pages without a style
    of their own, which the policy would forbid, for code that they never show.
    """

    def get_filter_form(self, data: Any, view: Any, request: Any) -> None:
        return None

    def get_context(self, *args: Any) -> dict[str, Any]:
        return super().get_context(*args) | {"code_style": None}


class LenientNegotiation(DefaultContentNegotiation):
    """An empty `Accept` says as little as none at all."""

    def get_accept_list(self, request: Any) -> list[str]:
        header = request.META.get("HTTP_ACCEPT", "").strip() or "*/*"
        return [token.strip() for token in header.split(",")]


class OwnFormNegotiation(LenientNegotiation):
    """For views that answer bytes or text: any `Accept` will do, errors are JSON."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            return renderers[0], renderers[0].media_type
