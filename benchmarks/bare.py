"""The floors of what is asked over HTTP: Django views that do one query and nothing else."""

from uuid import UUID

import orjson
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path

from jobs.models import Job

SHOWN = "uuid, created, last_modified, operation, resources, state, error, bytes_done, weight"
JOBS_OF = f"""
    SELECT {SHOWN} FROM jobs_job WHERE owner_id = %s AND parent_id IS NULL AND NOT is_internal
    ORDER BY last_modified DESC, uuid
"""


def bare_job(request: HttpRequest, uuid: UUID) -> JsonResponse:
    job = Job.objects.get(pk=uuid)
    return JsonResponse({"uuid": job.pk, "state": job.state, "progress": job.progress})


def bare_jobs(request: HttpRequest, owner: UUID) -> HttpResponse:
    """Answer all jobs of a user, as the driver of the database gives them."""
    key = Job._meta.get_field("owner").get_db_prep_value(owner, connection)
    names = SHOWN.split(", ")
    with connection.cursor() as cursor:
        cursor.execute(JOBS_OF, [key])
        jobs = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return HttpResponse(orjson.dumps(jobs), content_type="application/json")


urlpatterns = [
    path("bare/<uuid:uuid>/", bare_job),
    path("bare/jobs/<uuid:owner>/", bare_jobs),
    path("", include("cloudjobs.urls")),
]
