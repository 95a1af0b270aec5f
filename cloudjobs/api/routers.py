"""The addresses of a resource, as the API documents them."""

from rest_framework.routers import DefaultRouter, DynamicRoute, Route


class ResourceRouter(DefaultRouter):
    """List (GET, POST, DELETE), object (GET, PUT, DELETE), and `action/?do=NAME`."""

    include_format_suffixes = False
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
