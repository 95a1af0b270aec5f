"""The addresses of a resource, as the API documents them."""

from collections.abc import Callable
from typing import Any, ClassVar

from rest_framework.routers import APIRootView, DefaultRouter, DynamicRoute, Route

from cloudjobs.api.openapi.exchanges import Exchange
from cloudjobs.api.openapi.schema import WireSchema


class CloudjobsApi(APIRootView):
    """What there is: each resource tells about itself at its `schema/`."""

    name = "API"  # the title of its page
    schema = WireSchema()
    exchanges: ClassVar[dict[str, Exchange]] = {
        "get": Exchange({"type": "object", "additionalProperties": {"type": "string"}})
    }


class ResourceRouter(DefaultRouter):
    """List (GET, POST, DELETE), object (GET, PUT, DELETE), and `action/?do=NAME`."""

    include_format_suffixes = False
    APIRootView = CloudjobsApi
    # addresses that the router does not make, by their names
    singles = (
        "balance",
        "capabilities",
        "cloud_status",
        "currentusage",
        "fwpolicies",
        "ips",
        "licenses",
        "locations",
        "pricing",
        "profile",
        "subscriptions",
        "vlans",
    )

    def get_api_root_view(self, api_urls: Any = None) -> Callable[..., Any]:
        """Return the view of the API's root, which lists the resources and the singles."""
        lists = {prefix: f"{basename}-list" for prefix, _, basename in self.registry}
        names = dict(sorted({**lists, **{name: name for name in self.singles}}.items()))
        return self.APIRootView.as_view(api_root_dict=names)

    routes = [
        Route(
            url=r"^{prefix}/$",
            mapping={"get": "list", "post": "create", "delete": "destroy_several"},
            name="{basename}-list",
            detail=False,
            initkwargs={},
        ),
        DynamicRoute(
            url=r"^{prefix}/{url_path}/$",
            name="{basename}-{url_name}",
            detail=False,
            initkwargs={},
        ),
        Route(
            url=r"^{prefix}/{lookup}/$",
            mapping={"get": "retrieve", "put": "update", "delete": "destroy"},
            name="{basename}-detail",
            detail=True,
            initkwargs={},
        ),
        Route(
            url=r"^{prefix}/{lookup}/action/$",
            mapping={"post": "dispatch_action"},
            name="{basename}-action",
            detail=True,
            initkwargs={},
        ),
        DynamicRoute(
            url=r"^{prefix}/{lookup}/{url_path}/$",
            name="{basename}-{url_name}",
            detail=True,
            initkwargs={},
        ),
    ]
