"""Tags in the admin, with what has them."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from tags.models import Tag, TagLink


class TagLinkInline(admin.TabularInline):
    """What has a tag: to look at, as the API knows who may tag what."""

    model = TagLink
    fields = ("kind", "object_uuid")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Tag)
class TagAdmin(admin.ModelAdmin):
    list_display = ("name", "owner", "created_at")
    list_select_related = ("owner",)
    search_fields = ("name", "uuid", "owner__email", "links__object_uuid")
    fields = (("uuid", "owner"), "name", "meta", "created_at")
    readonly_fields = ("uuid", "owner", "created_at")
    inlines: ClassVar[list[Any]] = [TagLinkInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
