"""`/jobs/`: to look at, to cancel and to retry. The list shows root jobs.

And the base of the resources that have jobs.
"""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.models import User
from cloudjobs.api.openapi.exchanges import Exchange
from cloudjobs.api.viewsets import Names, Objects, ResourceViewSet
from cloudjobs.prepared import Hole, prepared_get
from jobs import actions, waiting
from jobs.listed import columns_of, listed_jobs
from jobs.models import Job, JobLink
from jobs.querysets import with_trees
from jobs.runtime import runtime_of
from jobs.serializers import JobRuntimeSerializer, JobSerializer
from tags.models import TagLink


class JobViewSet(ResourceViewSet):
    """The jobs of the user who asks, each with the whole tree below it."""

    page_namespace = "jobs"
    serializer_class = JobSerializer
    filter_lookups: ClassVar[dict[str, str]] = {"state": "state"}
    ordering_lookups: ClassVar[dict[str, str]] = {"last_modified": "last_modified"}
    default_order: ClassVar[tuple[str, ...]] = ("-last_modified",)
    action_methods: ClassVar[dict[str, str]] = {"cancel": "cancel", "retry": "retry"}
    exchanges: ClassVar[dict[str, Exchange]] = {
        "retrieve": Exchange(JobSerializer, query=(waiting.WAIT,)),
        "cancel": Exchange(JobSerializer),
        "retry": Exchange(JobSerializer),
        "runtime": Exchange(JobRuntimeSerializer),
    }

    schema_filtering: ClassVar[dict[str, Any]] = {"state": 1}
    schema_ordering: ClassVar[Names] = ["-last_modified"]
    schema_in_older_style = True

    def get_queryset(self) -> QuerySet[Any]:
        """Return the rows of the list; else the user's jobs, at whatever place in their trees."""
        mine = Job.objects.visible().filter(owner=self.owner)
        return columns_of(mine.roots()) if self.action == "list" else mine.without_log()

    def get_object(self) -> Job:
        """Return the user's job by a query compiled once: it is what clients ask for most."""
        job: Job | None = job_of(Job, pk=UUID(self.kwargs["uuid"]), owner=self.owner.pk)
        if job is None:
            raise NotFound
        return job

    def serialize(self, objects: Iterable[Any]) -> Objects:
        in_trees = listed_jobs if self.action == "list" else with_trees
        return super().serialize(in_trees(list(objects)))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Answer one job; with `wait`, once it has ended or so many seconds are over."""
        seconds = waiting.asked_seconds(request)
        if seconds:
            waiting.wait_for_end(self.get_object(), seconds)
        return super().retrieve(request, *args, **kwargs)

    @action(detail=True)
    def runtime(self, request: Request, uuid: str) -> Response:
        """Answer what the job is doing now: bytes, speed, time left, and its place in the queue."""
        (job,) = with_trees([self.get_object()])
        return Response(JobRuntimeSerializer(runtime_of(job)).data)

    def cancel(self, request: Request, uuid: str) -> Response:
        """End the job and all below it that is unfinished."""
        return self.steered(actions.cancel_job)

    def retry(self, request: Request, uuid: str) -> Response:
        """Run again what did not succeed."""
        return self.steered(actions.retry_job)

    def steered(self, do: Callable[[UUID, User], Job]) -> Response:
        """Do it with the job that is asked for, and answer the job."""
        job = do(self.get_object().pk, self.owner)
        return Response(self.serialize([job])[0])


@prepared_get
def job_of(jobs: Any) -> QuerySet[Job]:
    return jobs.visible().filter(pk=Hole("pk"), owner_id=Hole("owner")).without_log()


class WorkedOnViewSet(ResourceViewSet):
    """Base of the resources that jobs work on.

    The plain list is short; `detail/`, and the list with `fields=`, know every field. A subclass
    names the resource by `kind`, its two serializers, and the filter `tag`.
    """

    kind: ClassVar[str]
    short_serializer_class: ClassVar[type[BaseSerializer[Any]]]
    default_order: ClassVar[tuple[str, ...]] = ("created_at",)
    filter_lookups: ClassVar[dict[str, str]] = {
        "name": "name",
        "name__contains": "name__icontains",
        "uuid": "pk",
    }
    ordering_lookups: ClassVar[dict[str, str]] = {"uuid": "pk", "name": "name"}

    schema_list_methods: ClassVar[Names] = ["get", "delete", "post"]
    schema_detail_methods: ClassVar[Names] = ["get", "put", "delete"]
    schema_filtering: ClassVar[dict[str, Any]] = dict.fromkeys([*filter_lookups, "tag"], "exact")
    schema_ordering: ClassVar[Names] = ["uuid", "name"]

    @property
    def is_short(self) -> bool:
        return self.action == "list" and "fields" not in self.request.query_params

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return self.short_serializer_class if self.is_short else super().get_serializer_class()

    def serialize(self, objects: Iterable[Any]) -> Objects:
        objects = list(objects)
        if not self.is_short:
            uuids = [each.pk for each in objects]
            jobs = JobLink.objects.visible_jobs(self.kind, uuids, self.owner)
            tags = TagLink.objects.tags_of(self.kind, uuids)
            for each in objects:
                each.visible_jobs = jobs.get(each.pk, [])
                each.visible_tags = tags.get(each.pk, [])
        return super().serialize(objects)

    @action(detail=False, url_path="detail")
    def detailed_list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer the list with every field of each object."""
        return self.list(request)
