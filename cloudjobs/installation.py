"""What the API tells of the installation itself, and of what a private one does not have."""

from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.http.request import split_domain_port
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from cloudjobs.api.fields import API_ROOT, NarrowedFields, only_fields
from cloudjobs.api.openapi.components import component
from cloudjobs.api.openapi.exchanges import Exchange, listed
from cloudjobs.api.pagination import asked_window
from tags.actions import require_tag

NOT_OFFERED = ("fwpolicies", "ips", "licenses", "subscriptions", "vlans")
NEVER_TAGGED = ("ips", "vlans")

PAGE = (component("limit", "parameters"), component("offset", "parameters"))
NO_OBJECTS: dict[str, Any] = {
    "type": "object",
    "required": ["meta", "objects"],
    "properties": {
        "meta": component("ListMeta"),
        "objects": {"type": "array", "items": {}, "maxItems": 0},
    },
}


class LocationSchema(NarrowedFields):
    """A place where the service is."""

    id = serializers.CharField()
    display_name = serializers.CharField()
    country_code = serializers.CharField()
    documentation_url = serializers.CharField()
    alternative_frontend_url = serializers.CharField()
    api_endpoint = serializers.CharField()
    default_frontend_signup_url = serializers.CharField()
    default_frontend_url = serializers.CharField()
    upload_url = serializers.CharField()
    websocket_url = serializers.CharField()


class CloudStatusSchema(serializers.Serializer[Any]):
    """What a public cloud may offer."""

    free_tier = serializers.DictField()
    free_tier_monthly = serializers.DictField()
    guest = serializers.BooleanField()
    host_availability_zones = serializers.BooleanField()
    remote_snapshots = serializers.BooleanField()
    signup = serializers.BooleanField()
    sso = serializers.ListField(child=serializers.CharField())
    trial = serializers.BooleanField()
    vmware = serializers.BooleanField()
    vpc = serializers.BooleanField()


class FixedListView(APIView):
    """A list that comes from the settings, in the form of all lists; without any it is empty."""

    exchanges: ClassVar[dict[str, Exchange]] = {"get": Exchange(NO_OBJECTS, query=PAGE)}

    def get(self, request: Request, **kwargs: str) -> Response:
        limit, offset = asked_window(request)
        objects = self.objects()
        meta = {"limit": limit, "offset": offset, "total_count": len(objects)}
        page = objects[offset : offset + (limit or len(objects))]
        return Response({**self.beside(), "meta": meta, "objects": [*map(self.narrow, page)]})

    def objects(self) -> list[dict[str, Any]]:
        return []

    def beside(self) -> dict[str, Any]:
        """Return what the answer has beside the list."""
        return {}

    def narrow(self, item: dict[str, Any]) -> dict[str, Any]:
        """Return of an object what `?fields=` asks for."""
        names = only_fields(self.request) or item
        return {name: value for name, value in item.items() if name in names}


class NeverTaggedView(FixedListView):
    """What of a kind that there is none of has a tag of the user who asks: nothing."""

    openapi_tag = "tags"

    def objects(self) -> list[dict[str, Any]]:
        user: Any = self.request.user
        require_tag(UUID(self.kwargs["uuid"]), user)
        return []


class LocationsView(FixedListView):
    """Where the service is: one place, the one that answers."""

    exchanges: ClassVar[dict[str, Exchange]] = {"get": listed(LocationSchema)}

    def objects(self) -> list[dict[str, Any]]:
        pages = self.request.build_absolute_uri("/")
        api = self.request.build_absolute_uri(API_ROOT)
        addresses = {
            "alternative_frontend_url": pages,
            "api_endpoint": api,
            "default_frontend_signup_url": "",  # operators make the accounts
            "default_frontend_url": pages,
            "upload_url": api,
            "websocket_url": settings.EVENTS_URL or self.own_events_url(),
        }
        return [dict(sorted({**settings.LOCATION, **addresses}.items()))]

    def own_events_url(self) -> str:
        """Return the address without a proxy: that of the web server, on the port for events."""
        host, _ = split_domain_port(self.request.get_host())
        scheme = "wss" if self.request.is_secure() else "ws"
        return f"{scheme}://{host}:{settings.EVENTS_PORT}/websocket"


class CloudStatusView(APIView):
    """What a public cloud may offer to everyone: nothing of it."""

    exchanges: ClassVar[dict[str, Exchange]] = {"get": Exchange(CloudStatusSchema)}

    def get(self, request: Request) -> Response:
        return Response(
            {
                "free_tier": {},
                "free_tier_monthly": {},
                "guest": False,
                "host_availability_zones": False,
                "remote_snapshots": False,
                "signup": False,
                "sso": [],
                "trial": False,
                "vmware": False,
                "vpc": False,
            }
        )
