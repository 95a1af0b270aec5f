"""`/metrics`: the figures, for who has `METRICS_TOKEN`, and for staff that may see jobs."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from cloudjobs.metrics.collector import ServiceCollector
from cloudjobs.metrics.instruments import counted
from cloudjobs.metrics.token import has_token


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer in the text format of Prometheus.

    Without a token in the settings there is no such page, but for staff; with one, who gives no
    login or a wrong token is told what is missing.
    """
    if not (has_token(request.headers.get("Authorization", "")) or is_operator(request)):
        if settings.METRICS_TOKEN and not request.user.is_authenticated:
            return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
        raise Http404
    if request.method not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET", "HEAD"])
    registry = counted()
    registry.register(ServiceCollector())
    return HttpResponse(
        generate_latest(registry),
        content_type=CONTENT_TYPE_LATEST,
        headers={"Cache-Control": "no-store"},
    )


def is_operator(request: HttpRequest) -> bool:
    return bool(request.user.is_staff and request.user.has_perm("jobs.view_job"))
