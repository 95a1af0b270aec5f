"""The tab's icon, with how many jobs run and how many failed."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

MOST = 9


def count_in(request: HttpRequest, name: str) -> str:
    """Return a number of one letter, `+` for more; the icon has no room for two."""
    digits = "".join(letter for letter in request.GET.get(name, "")[:8] if letter in "0123456789")
    return "" if not int(digits or 0) else digits if int(digits) <= MOST else "+"


@require_safe
@cache_control(public=True, max_age=24 * 3600)
def icon(request: HttpRequest) -> HttpResponse:
    counts = {name: count_in(request, name) for name in ("running", "failed")}
    return render(request, "icon.svg", counts, content_type="image/svg+xml")
