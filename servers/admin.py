"""Servers in the admin, with their drives and network cards; cloning calls the API's own action."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from cloudjobs.api.exceptions import PointedError
from cloudjobs.pages.measures import size_text
from drives.admin import WorkedOnAdmin
from servers.actions import CloneWishes, clone_server
from servers.models import Mount, Nic, Server


class PartInline(admin.TabularInline):
    """A part of a server: to look at, as changing it has rules that the API knows."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class MountInline(PartInline):
    model = Mount
    fields = ("device", "dev_channel", "drive", "boot_order")


class NicInline(PartInline):
    model = Nic
    fields = ("position", "mac", "model", "conf", "ip", "vlan")


@admin.register(Server)
class ServerAdmin(WorkedOnAdmin):
    list_display = ("name", "owner", "status", "cpu", "smp", "memory", "created_at")
    list_filter = ("status",)
    list_select_related = ("owner",)
    search_fields = ("name", "uuid", "owner__email")
    inlines: ClassVar[list[Any]] = [MountInline, NicInline]
    actions = ("clone",)
    fieldsets = (
        (None, {"fields": ("uuid", "owner", "name", ("status", "active_since"), "created_at")}),
        ("Machine", {"fields": (("cpu", "smp", "mem"), ("cpu_type", "hypervisor"))}),
        ("Notes", {"fields": ("meta",)}),
    )
    readonly_fields = (
        "uuid",
        "owner",
        "status",
        "active_since",
        "created_at",
        "cpu",
        "smp",
        "mem",
        "cpu_type",
        "hypervisor",
    )

    @admin.display(ordering="mem")
    def memory(self, server: Server) -> str:
        return size_text(server.mem)

    @admin.action(description="Clone the selected servers", permissions=["change"])
    def clone(self, request: HttpRequest, queryset: QuerySet[Server]) -> None:
        for server in queryset.select_related("owner"):
            try:
                clone = clone_server(server.pk, server.owner, CloneWishes())
            except PointedError as error:
                messages.error(request, f"Not cloned: {server.name}. {error}")
            else:
                messages.success(request, f"Cloning {server.name} as {clone.name}.")
