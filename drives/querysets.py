"""Filters on drives that read as phrases."""

from typing import Any, Self

from django.db import connection
from django.db.models import Case, Exists, OuterRef, Prefetch, Q, Value, When

from accounts.querysets import OwnedQuerySet

KIND = "drives"
SNAPSHOTS = "snapshots"
SERVERS = "servers"
SERVER_AT_WORK = ("starting", "running", "stopping")


class ImageQuerySet(OwnedQuerySet):
    """Of what has an image: drives and snapshots."""

    def lock(self) -> None:
        """Lock the rows until the transaction ends; SQLite's holds the only write lock anyway."""
        if connection.features.has_select_for_update:
            list(self.locked().values_list("pk", flat=True))


class DriveQuerySet(ImageQuerySet):
    def in_library(self) -> Self:
        return self.filter(owner=None)

    def reachable_by(self, user: Any) -> Self:
        """Return what the user may look at and clone: their own drives, and the library's."""
        return self.filter(Q(owner=user) | Q(owner=None))

    def with_mounts_of(self, user: Any) -> Self:
        """Return the drives with their mounts on the user's servers fetched, and no others'."""
        mounts = self.model._meta.get_field("mounts").related_model
        mine = mounts.objects.filter(server__owner=user).select_related("server")
        return self.prefetch_related(Prefetch("mounts", queryset=mine))

    def in_use(self) -> Self:
        """Return the drives of servers that are not at rest: their bytes may change."""
        return self.filter(mounts__server__status__in=SERVER_AT_WORK).distinct()

    def settle(self, **values: Any) -> int:
        """Let the drives be mounted or unmounted; return how many were. One statement."""
        return self.update(status=self.settled_status(), **values)

    def settled_status(self) -> Case:
        """Return the status of a drive at rest: mounted if a server has it, else unmounted.

        Those of the library are always unmounted. The caller has locked the rows, so nobody mounts
        them meanwhile.
        """
        mounted = Exists(self.model.objects.filter(pk=OuterRef("pk"), mounts__isnull=False))
        return Case(
            When(mounted & Q(owner__isnull=False), then=Value(self.model.Status.MOUNTED)),
            default=Value(self.model.Status.UNMOUNTED),
        )
