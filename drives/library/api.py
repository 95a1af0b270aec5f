"""`/libdrives/`: drives that everyone may look at and clone."""

from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from cloudjobs.api.filters import Condition
from cloudjobs.api.openapi.exchanges import Exchange, cloned
from cloudjobs.api.viewsets import Names
from drives.api import CLONE_EXAMPLE, ClonedViewSet
from drives.library.serializers import (
    LibraryCloneRequest,
    LibraryDriveSchema,
    LibraryDriveSerializer,
)
from drives.models import Drive, LibraryEntry
from drives.serializers import DriveSerializer


def in_categories(values: list[str]) -> Q:
    """Return the condition that a drive is in one of these categories; the library is small."""
    entries = LibraryEntry.objects.values_list("pk", "category")
    return Q(pk__in=[uuid for uuid, category in entries if not set(category).isdisjoint(values)])


class LibraryDriveViewSet(ClonedViewSet):
    """The drives of the library: to look at and to clone; `/drives/` serves them too."""

    serializer_class = LibraryDriveSerializer
    schema_serializer_class = LibraryDriveSchema
    clone_request = LibraryCloneRequest
    action_methods: ClassVar[dict[str, str]] = {"clone": "clone"}
    exchanges: ClassVar[dict[str, Exchange]] = {
        "clone": cloned(LibraryCloneRequest, DriveSerializer, CLONE_EXAMPLE)
    }
    filter_lookups: ClassVar[dict[str, str]] = {
        "arch": "library_entry__arch",
        "distribution": "library_entry__distribution",
        "image_type": "library_entry__image_type",
        "name": "name",
        "name__icontains": "name__icontains",
        "os": "library_entry__os",
        "uuid": "pk",
        "version": "library_entry__version",
    }
    filter_conditions: ClassVar[dict[str, Condition]] = {"category": in_categories}

    schema_list_methods: ClassVar[Names] = ["get"]
    schema_detail_methods: ClassVar[Names] = ["get"]
    schema_filtering: ClassVar[dict[str, Any]] = dict.fromkeys(
        sorted([*filter_lookups, *filter_conditions]), "exact"
    )

    def get_queryset(self) -> QuerySet[Drive]:
        library = Drive.objects.in_library().select_related("library_entry")
        return library.with_mounts_of(self.owner)

    @property
    def is_short(self) -> bool:
        """Every list is complete."""
        return False

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """What an action answers is the new drive of the user."""
        return DriveSerializer if self.action == "dispatch_action" else LibraryDriveSerializer

    def clone(self, request: Request, uuid: str) -> Response:
        """Clone what is in the library, and nothing else."""
        self.get_object()
        return super().clone(request, uuid)
