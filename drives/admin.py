"""Drives in the admin: what a user may change of a drive; size and status belong to its jobs."""

from django.contrib import admin
from django.http import HttpRequest

from drives.models import Drive


@admin.register(Drive)
class DriveAdmin(admin.ModelAdmin):
    """Names and notes can be changed here; drives are made and deleted through the API."""

    list_display = ("name", "owner", "media", "gibibytes", "status", "storage_host", "created_at")
    list_filter = ("status", "media", "storage_type", "storage_host")
    list_select_related = ("owner",)
    search_fields = ("name", "uuid", "owner__email")
    fields = (
        ("uuid", "owner"),
        "name",
        ("media", "size", "status"),
        ("storage_type", "storage_host"),
        ("allow_multimount", "affinities"),
        "meta",
        "created_at",
    )
    readonly_fields = (
        "uuid",
        "owner",
        "media",
        "size",
        "status",
        "storage_type",
        "storage_host",
        "affinities",
        "created_at",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Drive | None = None) -> bool:
        return False

    @admin.display(description="size", ordering="size")
    def gibibytes(self, drive: Drive) -> str:
        return f"{drive.size / 1024**3:.2f} GiB"
