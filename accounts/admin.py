"""Users and their profiles in the admin."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.http import HttpRequest

from accounts.forms import AdminLoginForm
from accounts.models import ApiToken, Profile, User

admin.site.login_form = AdminLoginForm


class UserCreationForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email",)


class ProfileInline(admin.StackedInline):
    model = Profile
    can_delete = False
    readonly_fields = ("state",)


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """Like Django's own, with the email in the place of a user name."""

    add_form = UserCreationForm
    inlines: ClassVar[list[Any]] = [ProfileInline]
    list_display = ("email", "uuid", "is_active", "is_staff", "joined_at")
    list_filter = ("is_active", "is_staff")
    ordering = ("email",)
    readonly_fields = ("uuid", "joined_at", "last_login")
    search_fields = ("email", "uuid")
    fieldsets = (
        (None, {"fields": ("uuid", "email", "password")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Times", {"fields": ("joined_at", "last_login")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[Any]:
        return self.inlines if obj else []  # a new user gets a profile by being saved

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Let a profile go with its user, though nobody may delete it alone."""
        deleted, counts, forbidden, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, forbidden - {Profile._meta.verbose_name}, protected


@admin.register(Profile)
class ProfileAdmin(admin.ModelAdmin):
    list_display = ("user", "clone_naming", "first_name", "last_name", "company", "state")
    list_filter = ("clone_naming",)
    list_select_related = ("user",)
    readonly_fields = ("user", "state")
    search_fields = ("user__email", "first_name", "last_name", "company")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Profile | None = None) -> bool:
        return False


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):
    """Tokens can be looked at and revoked; only their users make them."""

    list_display = ("name", "user", "created_at", "used_at", "expires_at")
    list_select_related = ("user",)
    readonly_fields = ("uuid", "user", "name", "created_at", "used_at", "expires_at")
    search_fields = ("name", "user__email")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
