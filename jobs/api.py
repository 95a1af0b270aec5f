"""`/jobs/`: read only. The list shows root jobs; a sub-job has its own address."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db.models import QuerySet

from cloudjobs.api.viewsets import Names, Objects, ResourceViewSet
from jobs.models import Job
from jobs.querysets import with_trees
from jobs.serializers import JobSerializer


class JobViewSet(ResourceViewSet):
    """The jobs of the user who asks, each with the whole tree below it."""

    serializer_class = JobSerializer
    filter_lookups: ClassVar[dict[str, str]] = {"state": "state"}
    ordering_lookups: ClassVar[dict[str, str]] = {"last_modified": "last_modified"}
    default_order: ClassVar[tuple[str, ...]] = ("-last_modified",)

    schema_filtering: ClassVar[dict[str, Any]] = {"state": 1}
    schema_ordering: ClassVar[Names] = ["-last_modified"]
    schema_in_older_style = True

    def get_queryset(self) -> QuerySet[Job]:
        jobs = Job.objects.filter(owner=self.owner, is_internal=False)
        return jobs.roots() if self.action == "list" else jobs

    def serialize(self, objects: Iterable[Any]) -> Objects:
        return super().serialize(with_trees(list(objects)))
