"""Jobs in the admin: to look at. The runner owns their truth, so nothing is edited here."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from mptt.admin import MPTTModelAdmin

from jobs.models import Job, JobLink
from jobs.querysets import with_trees


class ReadOnly:
    """Shows, and changes nothing."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


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
    search_fields = ("uuid", "owner__email", "links__object_uuid")
    fieldsets = (
        (
            None,
            {"fields": (("operation", "state", "percent"), "names", "error", "owner", "parent")},
        ),
        ("Work", {"fields": (("bytes_done", "weight", "cursor"), "method", "params")}),
        ("Worker", {"fields": (("worker", "attempts", "heartbeat_at"),)}),
        ("Times", {"fields": (("created", "last_modified"), ("claimed_at", "finished_at"))}),
        ("Objects", {"fields": ("resources", "is_internal")}),
    )

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-tree_id", "lft")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Fetch what is below the jobs of a page at once, as their progress depends on it."""
        changelist = super().get_changelist_instance(request)
        changelist.result_list = with_trees(list(changelist.result_list))
        return changelist

    @admin.display(description="works on")
    def names(self, job: Job) -> str:
        return " → ".join(one["name"] for one in job.resources)

    @admin.display(description="progress")
    def percent(self, job: Job) -> str:
        return f"{job.progress} %"


@admin.register(JobLink)
class JobLinkAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("kind", "object_uuid", "job")
    list_filter = ("kind",)
    list_select_related = ("job",)
    search_fields = ("object_uuid",)
