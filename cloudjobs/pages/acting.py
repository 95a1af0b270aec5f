"""Actions from pages: the question before, and what comes of one as a message after it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from cloudjobs.api.exceptions import PointedError
from cloudjobs.pages.measures import bytes_in_words


@dataclass(frozen=True)
class Question:
    """What is asked before an action, what will happen, and where the answer goes.

    `things` are what it is about, if they are several; `hidden` are values that the answer carries
    along.
    """

    question: str
    consequences: tuple[str, ...]
    verb: str
    url: str
    is_harmful: bool = False
    things: tuple[str, ...] = ()
    hidden: tuple[tuple[str, Any], ...] = ()


def ask(
    request: HttpRequest,
    asked: Question,
    then: str,
    form: BaseForm | None = None,
    *,
    in_place: bool = False,
) -> HttpResponse:
    """Return the question: a page of its own, or what htmx puts into the dialog.

    In the dialog one that is `in_place` is answered without leaving the page where it was asked.
    """
    in_dialog = "HX-Request" in request.headers
    context = {"asked": asked, "next": then, "form": form, "in_place": in_dialog and in_place}
    return render(request, f"partials/confirm{'_form' if in_dialog else ''}.html", context)


def posted(request: HttpRequest) -> QueryDict | None:
    """Return what a form is bound to: nothing before it is sent."""
    return request.POST if request.method == "POST" else None


def attempt(request: HttpRequest, action: Callable[[], str]) -> bool:
    """Run an action that returns what to tell; say why if it is refused. True if it was done."""
    try:
        text = action()
    except PointedError as error:
        messages.error(request, bytes_in_words(str(error.detail)))
        return False
    messages.success(request, text)
    return True


def attempt_form(form: BaseForm, action: Callable[[], Any]) -> Any:
    """Return what an action makes of a valid form, or None with its refusal at the field."""
    try:
        return action()
    except PointedError as error:
        point = (error.point or "").split(".")[0]
        form.add_error(point if point in form.fields else None, refusal(form, point, error))
        return None


def refusal(form: BaseForm, point: str, error: PointedError) -> str:
    """Return a refusal in the words of a form: with the label of the field, and units."""
    text = bytes_in_words(str(error.detail))
    if point in form.fields and text.startswith(f"{point} "):
        label = str(form[point].label).partition(",")[0]
        text = text.replace(point, label, 1)
    return text


def go_on(request: HttpRequest, then: str) -> HttpResponse:
    """Answer an action: with its messages where htmx asked, else by going to a page."""
    if "HX-Request" not in request.headers:
        return HttpResponseRedirect(then)
    response = render(request, "partials/messages.html", {"is_swap": True})
    response["HX-Trigger"] = "cloudjobs:changed"
    return response


def next_page(request: HttpRequest, default: str) -> str:
    """Return the page from which an action was asked for, if it is one of ours."""
    given = request.POST.get("next") or request.GET.get("next") or ""
    given = given or request.headers.get("HX-Current-URL") or request.headers.get("Referer") or ""
    is_address = given.startswith(("/", f"{request.scheme}://"))
    is_ours = url_has_allowed_host_and_scheme(given, {request.get_host()})
    return given if is_address and is_ours else default
