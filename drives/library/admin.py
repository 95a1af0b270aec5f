"""The library in the admin: what is told of its drives; a page that uploads one."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from cloudjobs.api.exceptions import PointedError
from cloudjobs.pages.acting import attempt_form, posted
from drives.actions import delete_drives
from drives.library.actions import add_image
from drives.library.forms import EntryForm, UploadForm
from drives.models import LibraryEntry


@admin.register(LibraryEntry)
class LibraryEntryAdmin(admin.ModelAdmin):
    """Texts can be changed here; images are added on a page of their own, and by a command."""

    form = EntryForm
    list_display = ("drive", "os", "distribution", "version", "arch", "image_type", "status")
    list_filter = ("os", "image_type", "drive__media", "drive__storage_host")
    list_select_related = ("drive",)
    search_fields = ("drive__name", "drive__uuid", "distribution", "description")
    readonly_fields = ("drive",)
    fields = ("drive", *EntryForm.Meta.fields)
    actions = ("delete_drives",)

    @admin.display(description="status", ordering="drive__status")
    def status(self, entry: LibraryEntry) -> str:
        return entry.drive.status

    @admin.action(description="Delete the selected library drives", permissions=["change"])
    def delete_drives(self, request: HttpRequest, queryset: QuerySet[LibraryEntry]) -> None:
        user: Any = request.user
        for entry in queryset.select_related("drive"):
            try:
                delete_drives([entry.pk], user)
            except PointedError as error:
                messages.error(request, f"Not deleted: {entry}. {error}")
            else:
                messages.success(request, f"Deleting {entry}.")

    def get_urls(self) -> list[URLPattern]:
        upload = self.admin_site.admin_view(self.upload)
        return [path("upload/", upload, name="drives_library_upload"), *super().get_urls()]

    def upload(self, request: HttpRequest) -> HttpResponse:
        """Take an image. Not the admin's own page: that would hold a transaction all the time."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        form = UploadForm(posted(request), request.FILES or None)
        if form.is_valid():
            image, given = form.cleaned_data["image"], form.description()
            entry = attempt_form(form, lambda: add_image(form.spec(), image, image.size, given))
            if entry:
                messages.success(request, f"In the library: {entry}.")
                return redirect("admin:drives_libraryentry_changelist")
        return self.show(request, form)

    def show(self, request: HttpRequest, form: UploadForm) -> TemplateResponse:
        site = self.admin_site.each_context(request)
        context = {**site, "title": "Upload an image", "form": form, "opts": self.opts}
        return TemplateResponse(request, "admin/drives/libraryentry/upload.html", context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: LibraryEntry | None = None) -> bool:
        return False
