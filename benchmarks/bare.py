"""The floor of the `poll` benchmark: a Django view that does one query and nothing else."""

from uuid import UUID

from django.http import HttpRequest, JsonResponse
from django.urls import include, path

from jobs.models import Job


def bare_job(request: HttpRequest, uuid: UUID) -> JsonResponse:
    job = Job.objects.get(pk=uuid)
    return JsonResponse({"uuid": job.pk, "state": job.state, "progress": job.progress})


urlpatterns = [
    path("bare/<uuid:uuid>/", bare_job),
    path("", include("cloudjobs.urls")),
]
