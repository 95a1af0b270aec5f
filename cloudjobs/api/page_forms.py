"""The forms of the browsable pages: HTML can send neither JSON nor PUT nor DELETE.

A form holds JSON as `_content` and its method as `_method`; with a valid CSRF token it becomes the
request that it stands for, before anything else looks at it. The API itself takes no forms.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, JsonResponse, QueryDict, UnreadablePostError
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware

from cloudjobs.api.errors import API_PREFIX, entry
from cloudjobs.api.exceptions import Busy
from cloudjobs.api.strangers import strangers_turn

FORM_TYPE = "application/x-www-form-urlencoded"
TOKEN, CONTENT, METHOD = "csrfmiddlewaretoken", "_content", "_method"
METHODS = {"POST", "PUT", "DELETE"}
MOST_ROWS = 30


@dataclass(frozen=True)
class PageForm:
    """A form of a page: what its button says, and what it sends; without a text, no body.

    One that was sent in vain is open.
    """

    label: str
    method: str
    address: str
    text: str | None = None
    is_open: bool = False

    @property
    def rows(self) -> int:
        """The lines of the field for the text."""
        return min(MOST_ROWS, (self.text or "").count("\n") + 2)

    @property
    def is_deletion(self) -> bool:
        return self.method == "DELETE"


class PageFormMiddleware:
    """Turns the forms of the browsable pages into JSON requests."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.token_check = CsrfViewMiddleware(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            is_form = is_page_form(request)
        except Busy as error:
            fault = entry(error.error_type, str(error))
            return JsonResponse([fault], safe=False, status=error.status_code)
        if is_form and self.token_check.process_view(request, self.get_response, (), {}):
            message = "The page has become too old; open it again."
            fault = entry("permission", message, TOKEN)
            return JsonResponse([fault], safe=False, status=403)
        if is_form:
            translate(request)
        return self.get_response(request)


def is_page_form(request: HttpRequest) -> bool:
    """Is it a form that one of the pages has sent, or that looks like it?

    It is read before anybody knows whose it is. Raises Busy.
    """
    if request.method != "POST" or not request.path_info.startswith(API_PREFIX):
        return False
    if request.content_type != FORM_TYPE:
        return False
    try:
        with strangers_turn():
            form = request.POST
    except (SuspiciousOperation, UnreadablePostError):
        return False  # too large, of too many fields, or cut off
    return TOKEN in form and form.get(METHOD, "POST") in METHODS


def translate(request: Any) -> None:
    """Make it the request that the form stands for."""
    form = request.POST
    body = form.get(CONTENT, "").encode()
    request.method = form.get(METHOD, "POST")
    request.META["HTTP_X_CSRFTOKEN"] = form[TOKEN]
    request.META["CONTENT_TYPE"] = request.content_type = "application/json"
    request.META["CONTENT_LENGTH"] = str(len(body))
    request._body = request.page_form_body = body
    request._post = QueryDict()
