"""Jobs in the admin: to look at, to cancel and to retry. The runner owns their truth."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Q, QuerySet, prefetch_related_objects
from django.http import HttpRequest
from django.utils import timezone
from mptt.admin import MPTTModelAdmin

from accounts.models import User
from cloudjobs.api.exceptions import PointedError
from cloudjobs.api.filters import is_uuid
from jobs.actions import cancel_job, retry_job
from jobs.listing import LATELY
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


class StandingFilter(admin.SimpleListFilter):
    """What an operator asks first: what runs, what waits, what failed."""

    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("running", "Running"), ("waiting", "Waiting"), ("failed", "Failed in a day")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        chosen: dict[str, Callable[[], Any]] = {
            "running": queryset.running,
            "waiting": queryset.free,
            "failed": lambda: queryset.failed_since(timezone.now() - LATELY),
        }
        return chosen.get(self.value() or "", queryset.all)()


class WorkerFilter(admin.SimpleListFilter):
    """The workers that are at work now; the history knows too many."""

    title = "worker"
    parameter_name = "worker"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = Job.objects.running().order_by("worker").values_list("worker", flat=True)
        return [(name, name) for name in names.distinct()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(worker=self.value()) if self.value() else queryset


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
        "created_at",
    )
    list_filter = (StandingFilter, "state", "operation", "is_internal", WorkerFilter)
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # it counts the whole history, once for each choice
    search_fields = ("uuid", "owner__email")
    search_help_text = "A uuid, of a job or of what it works on; or a part of the owner's email."
    fieldsets = (
        (
            None,
            {"fields": (("operation", "state", "percent"), "names", "error", "owner", "parent")},
        ),
        (
            "Work",
            {
                "fields": (
                    ("bytes_done", "weight", "cursor"),
                    ("verified", "method", "rate"),
                    "lane",
                    "params",
                )
            },
        ),
        ("Worker", {"fields": (("worker", "attempts", "heartbeat_at"),)}),
        ("Times", {"fields": (("created", "last_modified"), ("claimed_at", "finished_at"))}),
        ("Objects", {"fields": ("resources", "is_internal")}),
        ("Log", {"fields": ("request_id", "log")}),
    )
    actions = ("cancel", "retry")

    @admin.action(description="Cancel the selected jobs")
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        steer_each(request, queryset, cancel_job, "Cancelled")

    @admin.action(description="Retry the selected jobs")
    def retry(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        steer_each(request, queryset, retry_job, "Retried")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer no deletion, and nothing to those who may only look."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        may_steer = request.user.has_perm("jobs.change_job")
        return actions if may_steer else {}

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-tree_id", "lft")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Fetch owners, and what is below the jobs of a page, as their progress depends on it."""
        changelist = super().get_changelist_instance(request)
        changelist.result_list = with_trees(list(changelist.result_list))
        prefetch_related_objects(changelist.result_list, "owner")
        return changelist

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Job], search_term: str
    ) -> tuple[QuerySet[Job], bool]:
        """Find by what has an index, so that a long history is not read for each search."""
        text = search_term.strip()
        if not text:
            return queryset, False
        if is_uuid(text):
            linked = JobLink.objects.filter(object_uuid=text).values("job")
            return queryset.filter(Q(pk=text) | Q(pk__in=linked)), False
        return queryset.filter(owner__in=User.objects.filter(email__icontains=text)), False

    @admin.display(description="created", ordering="created")
    def created_at(self, job: Job) -> str:
        return f"{job.created:%Y-%m-%d %H:%M} UTC"

    @admin.display(description="works on")
    def names(self, job: Job) -> str:
        return " → ".join(one["name"] for one in job.resources)

    @admin.display(description="progress")
    def percent(self, job: Job) -> str:
        return f"{job.progress} %"

    @admin.display(description="request, as in the log")
    def request_id(self, job: Job) -> str:
        return job.request_id or "-"

    @admin.display(description="what happened")
    def log(self, job: Job) -> str:
        return "\n".join(
            " ".join(filter(None, (one["at"], one["text"], one["worker"], one.get("request"))))
            for one in job.events
        )


def steer_each(
    request: HttpRequest, jobs: QuerySet[Job], do: Callable[[UUID, User], Job], done: str
) -> None:
    """Do it with each job, and tell what became of it."""
    for job in jobs.order_by("tree_id", "lft"):
        try:
            do(job.pk, request.user)  # type: ignore[arg-type]
        except PointedError as error:
            messages.error(request, f"Not {done.lower()}: {job}. {error}")
        else:
            messages.success(request, f"{done}: {job}.")


@admin.register(JobLink)
class JobLinkAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("kind", "object_uuid", "job")
    list_filter = ("kind",)
    list_select_related = ("job",)
    search_fields = ("object_uuid",)
