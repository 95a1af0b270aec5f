"""Key pairs in the admin: the public half, and whether the private one is kept."""

from django.contrib import admin
from django.http import HttpRequest

from keypairs.models import KeyPair


@admin.register(KeyPair)
class KeyPairAdmin(admin.ModelAdmin):
    """Names can be changed here; keys are made through the API, by those who own them."""

    list_display = ("name", "owner", "fingerprint", "is_private_key_kept", "created_at")
    list_select_related = ("owner",)
    search_fields = ("name", "uuid", "owner__email", "fingerprint")
    fields = (
        ("uuid", "owner"),
        "name",
        "public_key",
        "fingerprint",
        "is_private_key_kept",
        "meta",
        "created_at",
    )
    readonly_fields = (
        "uuid",
        "owner",
        "public_key",
        "fingerprint",
        "is_private_key_kept",
        "created_at",
    )

    @admin.display(description="private key kept", boolean=True)
    def is_private_key_kept(self, pair: KeyPair) -> bool:
        return pair.has_private_key

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
