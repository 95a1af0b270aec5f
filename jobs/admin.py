"""Jobs in the admin: to look at. The runner owns their truth, so nothing is edited here."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from mptt.admin import MPTTModelAdmin

from jobs.models import Job, JobResource


class ReadOnly:
    """Shows, and changes nothing."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class JobResourceInline(ReadOnly, admin.TabularInline):
    model = JobResource
    fields = ("position", "kind", "name", "object_uuid", "is_gone")
    extra = 0


@admin.register(Job)
class JobAdmin(ReadOnly, MPTTModelAdmin):
    """The list is the tree: newest root first, each followed by what is below it."""

    mptt_level_indent = 24
    list_display = (
        "operation",
        "names",
        "state",
        "percent",
        "owner",
        "worker",
        "attempts",
        "created",
    )
    list_filter = ("state", "operation", "is_internal", "worker")
    list_select_related = ("owner",)
    search_fields = ("uuid", "owner__email", "resources__name", "resources__object_uuid")
    inlines: ClassVar[list[Any]] = [JobResourceInline]
    exclude = ("lease_token",)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-tree_id", "lft")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("resources")

    @admin.display(description="works on")
    def names(self, job: Job) -> str:
        return " → ".join(link.name for link in job.resources.all())

    @admin.display(description="progress")
    def percent(self, job: Job) -> str:
        return f"{job.progress} %"


@admin.register(JobResource)
class JobResourceAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("kind", "name", "object_uuid", "job", "is_gone")
    list_filter = ("kind", "is_gone")
    search_fields = ("name", "object_uuid")
