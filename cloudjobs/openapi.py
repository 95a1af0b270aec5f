"""The OpenAPI document as it is served, with the ways to log in; made once by each process."""

from functools import cache
from typing import Any

from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.plumbing import build_mock_request
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from cloudjobs.api.openapi.components import fixed_components
from cloudjobs.api.openapi.exchanges import OpenApi
from cloudjobs.api.renderers import OwnFormNegotiation

INTRODUCTION = """\
A self-hosted service that speaks the CloudSigma API 2.0: drives, servers, and the jobs that clone
them.

Errors are a list with one entry for each fault. Objects of other users answer as if they did not
exist. Every GET is there as HEAD too, and OPTIONS tells the methods of an address; any other method
is a 405 with `Allow`. A GET without the trailing slash is redirected. Every answer has an
`X-REQUEST-ID`, and is compressed when that is asked for. Whoever asks for `text/html` gets the same
as a page, for browsers."""


class PasswordScheme(OpenApiAuthenticationExtension):
    target_class = "cloudjobs.api.authentication.RememberedBasicAuthentication"
    name = "basic"

    def get_security_definition(self, auto_schema: Any) -> OpenApi:
        return {"type": "http", "scheme": "basic", "description": "Email and password."}


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> OpenApi:
        text = "An API token, made on the profile page."
        return {"type": "http", "scheme": "bearer", "description": text}


class CookieScheme(SessionScheme):
    name = "session"
    priority = 1  # the base class is registered, too

    def get_security_definition(self, auto_schema: Any) -> OpenApi:
        text = (
            "The cookie of `accounts/action/?do=login`. Requests that change something carry the "
            f"value of the cookie `{settings.CSRF_COOKIE_NAME}` in the header `X-CSRFToken`."
        )
        return {**super().get_security_definition(auto_schema), "description": text}


class ChunkLinkScheme(OpenApiAuthenticationExtension):
    target_class = "drives.uploads.links.ChunkLinkAuthentication"
    name = "chunk_link"

    def get_security_definition(self, auto_schema: Any) -> OpenApi:
        text = "A link for one chunk, made by `do=upload_chunk`."
        return {"type": "apiKey", "in": "query", "name": "link", "description": text}


class OpenApiView(SpectacularAPIView):
    """The document. It tells nothing of users, so it asks for no login."""

    content_negotiation_class = OwnFormNegotiation

    def _get_schema_response(self, request: Request) -> Response:
        return Response(document())


@csp_update({"img-src": ["data:"]})
def docs_page(request: HttpRequest) -> HttpResponse:
    """The document for people. The icons of Swagger UI lie in its styles, as data."""
    return render(request, "api/docs.html")


@cache
def document() -> OpenApi:
    """Return the OpenAPI document; it depends on code and settings alone."""
    made: OpenApi = SchemaGenerator().get_schema(public=True)
    return made


def request_for(method: str, path: str, view: Any, original: Any, **kwargs: Any) -> Request:
    """Return the request for which a view is described; there are views that look at it early."""
    view.request = HttpRequest()
    request: Request = build_mock_request(method, path, view, original, **kwargs)
    return request


def complete(result: OpenApi, **kwargs: Any) -> OpenApi:
    """Add the introduction, and what no serializer makes, in alphabetical order."""
    result["info"]["description"] = INTRODUCTION
    components = result["components"]
    for kind, parts in fixed_components().items():
        components[kind] = dict(sorted({**components.get(kind, {}), **parts}.items()))
    return result
