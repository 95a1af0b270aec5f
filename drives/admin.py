"""Drives in the admin: what a user may change of a drive; size and status belong to its jobs.

And a page that tells where storage and database disagree.
"""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from cloudjobs.api.exceptions import PointedError, Refused
from cloudjobs.pages.measures import moved_text, rate_text, size_text
from drives import reconciliation
from drives.actions import delete_drives
from drives.bandwidth import limit_bandwidth
from drives.cloning import clone_drive
from drives.forms import BandwidthForm
from drives.library.actions import move_to_library
from drives.library.admin import LibraryEntryAdmin
from drives.models import BandwidthLimit, Drive, Snapshot, Upload
from drives.reconciliation import Finding
from drives.snapshots.actions import clone_snapshot, delete_snapshots
from drives.uploads.actions import is_uploading
from jobs.asking import ask_first

MOST_SHOWN = 50  # names in a question
READ_ONLY_OF_SNAPSHOT = ("status", "size", "allocated_size", "storage_host", "created_at")

__all__ = ["DriveAdmin", "LibraryEntryAdmin"]


class WorkedOnAdmin(admin.ModelAdmin):
    """Of what actions make and delete, and jobs work on meanwhile."""

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any | None:
        """Lock the row for the transaction of a change; None if a job has deleted it by then."""
        found = super().get_object(request, object_id, from_field)
        is_to_change = connection.in_atomic_block and self.has_change_permission(request, found)
        if found is None or not is_to_change:
            return found
        return self.model.objects.filter(pk=found.pk).locked().first()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write what was changed and nothing else: a job may have moved the status since."""
        obj.save(update_fields=form.changed_data)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RemovingAdmin(WorkedOnAdmin):
    """Deletes by the API's own action, after a question: Django's own would leave the bytes."""

    def remove_one(self, one: Any, by: Any) -> None:
        """Submit the deletion of an object, for its owner or by the operator who asks."""
        raise NotImplementedError

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"drives.delete_{self.opts.model_name}")

    @admin.action(description="Delete the selected %(verbose_name_plural)s", permissions=["remove"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Ask first; then delete what can be deleted, and tell why the rest cannot."""
        if "confirmed" not in request.POST:
            return self.ask_to_remove(request, queryset)
        for one in queryset:
            try:
                self.remove_one(one, request.user)
            except PointedError as error:
                messages.error(request, f"Not deleted: {one}. {error}")
            else:
                messages.success(request, f"Being deleted: {one}.")
        return None

    def ask_to_remove(self, request: HttpRequest, queryset: QuerySet[Any]) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"Delete {queryset.count()} of the {self.opts.verbose_name_plural}?",
            "opts": self.opts,
            "objects": queryset[:MOST_SHOWN],
            "selected": request.POST.getlist("_selected_action"),
            "across": request.POST.get("select_across", "0"),
        }
        return TemplateResponse(request, "admin/drives/remove.html", context)


@admin.register(Drive)
class DriveAdmin(RemovingAdmin):
    """Names and notes can be changed here; drives are made through the API."""

    list_display = ("name", "holder", "media", "size_shown", "status", "storage_host", "created_at")
    list_filter = ("status", "media", "storage_type", "storage_host")
    list_select_related = ("owner",)
    search_fields = ("name", "uuid", "owner__email")
    fields = (
        ("uuid", "holder"),
        "name",
        ("media", "size", "status"),
        ("storage_type", "storage_host"),
        ("allow_multimount", "affinities"),
        "meta",
        "created_at",
    )
    readonly_fields = (
        "uuid",
        "holder",
        "media",
        "size",
        "status",
        "storage_type",
        "storage_host",
        "allow_multimount",
        "affinities",
        "created_at",
    )
    actions = ("clone", "move_to_library", "remove")

    def remove_one(self, one: Drive, by: Any) -> None:
        delete_drives([one.pk], one.owner or by)

    @admin.display(description="owner", ordering="owner")
    def holder(self, drive: Drive) -> str:
        return str(drive.owner or "the library")

    @admin.action(description="Clone the selected drives", permissions=["change"])
    def clone(self, request: HttpRequest, queryset: QuerySet[Drive]) -> None:
        """Clone for the owner of each; what is in the library for the operator who asks."""
        user: Any = request.user
        for drive in queryset.select_related("owner"):
            try:
                clone = clone_drive(drive.pk, drive.owner or user, {})
            except PointedError as error:
                messages.error(request, f"Not cloned: {drive.name}. {error}")
            else:
                messages.success(request, f"Cloning {drive.name} as {clone.name}.")

    @admin.action(description="Move the selected drives to the library", permissions=["change"])
    def move_to_library(self, request: HttpRequest, queryset: QuerySet[Drive]) -> None:
        """Take them from their owners, for everyone to clone."""
        for drive in queryset:
            try:
                move_to_library(drive.pk)
            except PointedError as error:
                messages.error(request, f"Not moved: {drive.name}. {error}")
            else:
                messages.success(request, f"In the library: {drive.name}.")

    def get_urls(self) -> list[URLPattern]:
        reconcile = self.admin_site.admin_view(self.reconcile)
        return [path("reconcile/", reconcile, name="drives_reconcile"), *super().get_urls()]

    def reconcile(self, request: HttpRequest) -> HttpResponse:
        """Show what is wrong; a POST puts it right."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        found = reconciliation.find()
        if request.method == "POST":
            fixed = sum(reconciliation.fix(finding) for finding in found)
            messages.success(request, f"Put right: {fixed} of {len(found)}.")
            return redirect("admin:drives_reconcile")
        return self.report(request, found)

    def report(self, request: HttpRequest, found: list[Finding]) -> TemplateResponse:
        site = self.admin_site.each_context(request)
        context = {**site, "title": "Reconcile storage", "found": found, "opts": self.opts}
        return TemplateResponse(request, "admin/drives/reconcile.html", context)

    @admin.display(description="size", ordering="size")
    def size_shown(self, drive: Drive) -> str:
        return size_text(drive.size)


@admin.register(Upload)
class UploadAdmin(RemovingAdmin):
    """Uploads in chunks, of the last day: to be looked at, and given up with their drives."""

    list_display = ("drive", "arrived", "changed_at")
    list_select_related = ("drive", "drive__owner")
    search_fields = ("drive__name", "drive__uuid", "drive__owner__email")
    actions = ("remove",)

    @admin.display(description="received", ordering="bytes_done")
    def arrived(self, upload: Upload) -> str:
        return moved_text(upload.bytes_done, upload.length)

    def remove_one(self, one: Upload, by: Any) -> None:
        if not is_uploading(one.drive):
            raise Refused("It is complete; delete the drive, if that is meant.", "status")
        delete_drives([one.drive_id], one.drive.owner or by)

    def has_change_permission(self, request: HttpRequest, obj: Upload | None = None) -> bool:
        return False


@admin.register(Snapshot)
class SnapshotAdmin(RemovingAdmin):
    """Names and notes can be changed here; snapshots are taken through the API."""

    list_display = ("name", "drive", "owner", "status", "on_disk", "created_at")
    list_filter = ("status", "storage_host")
    list_select_related = ("drive", "owner")
    search_fields = ("name", "uuid", "drive__uuid", "owner__email")
    fields = ("uuid", "owner", "drive", "name", "meta", *READ_ONLY_OF_SNAPSHOT)
    readonly_fields = ("uuid", "owner", "drive", *READ_ONLY_OF_SNAPSHOT)
    actions = ("clone", "remove")

    @admin.display(description="on disk", ordering="allocated_size", empty_value="-")
    def on_disk(self, snapshot: Snapshot) -> str | None:
        return None if snapshot.allocated_size is None else size_text(snapshot.allocated_size)

    def remove_one(self, one: Snapshot, by: Any) -> None:
        delete_snapshots([one.pk], one.owner)

    @admin.action(description="Make drives of the selected snapshots", permissions=["change"])
    def clone(self, request: HttpRequest, queryset: QuerySet[Snapshot]) -> None:
        """Make a drive of each, for its owner."""
        for snapshot in queryset:
            try:
                clone = clone_snapshot(snapshot.pk, snapshot.owner, {})
            except PointedError as error:
                messages.error(request, f"Not cloned: {snapshot.name}. {error}")
            else:
                messages.success(request, f"Cloning {snapshot.name} as {clone.name}.")


@admin.register(BandwidthLimit)
class BandwidthLimitAdmin(admin.ModelAdmin):
    """What storage hosts may move each second; a value that is saved holds at once."""

    form = BandwidthForm
    fields = ("storage_host", "bandwidth")
    list_display = ("storage_host", "rate", "changed_at")

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Ask the hosts before the transaction begins in which the form asks them."""
        if request.method == "POST":
            ask_first()
        return super().changeform_view(request, *args, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: BandwidthLimit, form: Any, change: bool
    ) -> None:
        obj.pk = limit_bandwidth(obj.storage_host, obj.bandwidth).pk

    @admin.display(description="bandwidth", ordering="bandwidth")
    def rate(self, limit: BandwidthLimit) -> str:
        return rate_text(limit.bandwidth) if limit.bandwidth else "what the settings say"

    def get_readonly_fields(
        self, request: HttpRequest, obj: BandwidthLimit | None = None
    ) -> tuple[str, ...]:
        return ("storage_host",) if obj else ()

    def has_delete_permission(
        self, request: HttpRequest, obj: BandwidthLimit | None = None
    ) -> bool:
        """An empty value does the same, and it is heard of at once."""
        return False
