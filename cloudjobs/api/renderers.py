"""The API as a browser shows it, and what is answered in a form of its own."""

from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.utils.urls import replace_query_param

from cloudjobs.api.browsing import (
    crumb,
    description_of,
    forms_of,
    html_page,
    linked,
    neighbours,
    title_of,
)


class BrowsableRenderer(BrowsableAPIRenderer):
    """The answer as a page of ours, with links, and with forms that need no script.

    The base class would draw forms from serializers, and so ask for the objects of a user who has
    not logged in.
    """

    template = "api/page.html"

    def get_context(
        self, data: Any, accepted_media_type: str | None, renderer_context: Any
    ) -> dict[str, Any]:
        view, request = renderer_context["view"], renderer_context["request"]
        response = renderer_context["response"]
        text = JSONRenderer().render(data, "application/json; indent=2").decode()
        return {
            "name": title_of(self.get_name(view), data, request.path),
            "description": description_of(view),
            "breadcrumbs": [(crumb(path), path) for _, path in self.get_breadcrumbs(request)],
            "content": linked(text, request.build_absolute_uri("/")),
            "response": response,
            "html_page": html_page(view) if response.status_code < 400 else "",
            "json_address": replace_query_param(request.get_full_path(), "format", "json"),
            "neighbours": neighbours(request, data),
            "forms": forms_of(view, request, data, response.status_code),
        }


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
            asked = request.query_params.get(self.settings.URL_FORMAT_OVERRIDE)
            first = self.filter_renderers(renderers, asked)[0] if asked else renderers[0]
            return first, first.media_type
