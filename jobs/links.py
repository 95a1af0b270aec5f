"""Which jobs have worked on an object."""

from typing import Any, ClassVar

from django.db import models

from jobs.querysets import JobLinkQuerySet


class JobLink(models.Model):
    """Finds the jobs of an object: what `Job.resources` shows, the other way round."""

    job = models.ForeignKey("jobs.Job", on_delete=models.CASCADE, related_name="links")
    kind = models.CharField(max_length=32)
    object_uuid = models.UUIDField()

    objects: ClassVar[Any] = JobLinkQuerySet.as_manager()

    class Meta:
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["kind", "object_uuid"], name="job_link_object")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_uuid}"
