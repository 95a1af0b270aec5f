"""Every address of the service."""

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from cloudjobs import health
from cloudjobs.api.routers import ResourceRouter
from cloudjobs.api.viewsets import UUID_PATTERN, ResourceViewSet
from cloudjobs.billing import BalanceView, CurrentUsageView, PricingView
from cloudjobs.installation import (
    NEVER_TAGGED,
    NOT_OFFERED,
    CloudStatusView,
    FixedListView,
    LocationsView,
    NeverTaggedView,
)
from cloudjobs.metrics.views import metrics
from cloudjobs.openapi import OpenApiView, docs_page
from cloudjobs.overview import overview
from cloudjobs.pages.icon import icon
from drives.api import DriveViewSet, TaggedDriveViewSet
from drives.library.api import LibraryDriveViewSet
from drives.snapshots.api import SnapshotViewSet, TaggedSnapshotViewSet
from jobs.api import JobViewSet
from jobs.cluster_page import clusters
from keypairs.api import KeyPairViewSet, PubkeyViewSet
from servers.api import CapabilitiesSchemaView, CapabilitiesView, ServerViewSet, TaggedServerViewSet
from tags.api import TagViewSet

router = ResourceRouter()
router.register("drives", DriveViewSet, basename="drive")
router.register("jobs", JobViewSet, basename="job")
router.register("keypairs", KeyPairViewSet, basename="keypair")
router.register("libdrives", LibraryDriveViewSet, basename="libdrive")
router.register("pubkeys", PubkeyViewSet, basename="pubkey")
router.register("servers", ServerViewSet, basename="server")
router.register("snapshots", SnapshotViewSet, basename="snapshot")
router.register("tags", TagViewSet, basename="tag")

TAG = f"tags/(?P<uuid>{UUID_PATTERN})"


def tagged(kind: str, viewset: type[ResourceViewSet]) -> list[URLPattern]:
    """Return the addresses of what has a tag, in short and in full."""
    return [
        re_path(f"^{TAG}/{kind}/$", viewset.as_view({"get": "list"}), name=f"tag-{kind}"),
        re_path(f"^{TAG}/{kind}/detail/$", viewset.as_view({"get": "detailed_list"})),
    ]


api_urls: list[URLPattern | URLResolver] = [
    path("", include(router.urls)),
    path("", include("accounts.api_urls")),
    path("", include("drives.api_urls")),
    path("balance/", BalanceView.as_view(), name="balance"),
    path("capabilities/", CapabilitiesView.as_view(), name="capabilities"),
    path("capabilities/schema/", CapabilitiesSchemaView.as_view(), name="capabilities-schema"),
    path("cloud_status/", CloudStatusView.as_view(), name="cloud_status"),
    path("currentusage/", CurrentUsageView.as_view(), name="currentusage"),
    path("locations/", LocationsView.as_view(), name="locations"),
    path("pricing/", PricingView.as_view(), name="pricing"),
    *(path(f"{name}/", FixedListView.as_view(), name=name) for name in NOT_OFFERED),
    *(path(f"{name}/detail/", FixedListView.as_view()) for name in NOT_OFFERED),
    *tagged("drives", TaggedDriveViewSet),
    *tagged("servers", TaggedServerViewSet),
    *tagged("snapshots", TaggedSnapshotViewSet),
    *(re_path(f"^{TAG}/{name}/$", NeverTaggedView.as_view()) for name in NEVER_TAGGED),
]


def no_page_of_its_own(request: HttpRequest, object_id: str) -> HttpResponse:
    """Answer that there is no page; Django's "view on site" breaks on keys that are no UUIDs."""
    raise Http404


urlpatterns = [
    path("api/2.0/", include((api_urls, "api"))),  # first, as programs ask for nothing else
    path("", overview, name="overview"),
    path("", include("accounts.urls")),
    path("jobs/", include("jobs.urls")),
    path("drives/", include("drives.urls")),
    path("servers/", include("servers.urls")),
    path("clusters/", clusters, name="clusters"),
    path("icon.svg", icon, name="icon"),
    path("favicon.ico", icon),  # what browsers ask for on pages that name none
    path("admin/r/<path:object_id>", admin.site.admin_view(no_page_of_its_own)),
    path("admin/password_change/", RedirectView.as_view(pattern_name="accounts:password")),
    path("admin/", admin.site.urls),
    path("api/schema/", OpenApiView.as_view(), name="openapi"),
    path("api/docs/", docs_page, name="api-docs"),
    path("healthz", health.alive, name="healthz"),
    path("metrics", metrics, name="metrics"),
    path("readyz", health.ready, name="readyz"),
]

handler400 = "cloudjobs.api.errors.bad_request"
handler404 = "cloudjobs.api.errors.not_found"
handler500 = "cloudjobs.api.errors.server_error"
