"""`/snapshots/`: requests are checked for their form here; what may be done, the actions decide."""

from collections.abc import Iterable
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cloudjobs.api.bodies import objects_of, uuids_in, validate_each
from cloudjobs.api.filters import Condition
from cloudjobs.api.openapi.exchanges import (
    Exchange,
    Shape,
    cloned,
    created,
    deleted_several,
    updated,
)
from cloudjobs.api.viewsets import Names, Objects, ResourceViewSet
from drives.models import Snapshot
from drives.querysets import KIND, SNAPSHOTS
from drives.serializers import DeletionRequest, DriveCloneRequest
from drives.snapshots import actions
from drives.snapshots.actions import SnapshotSpec
from drives.snapshots.serializers import (
    SnapshotChange,
    SnapshotCloneSerializer,
    SnapshotRequest,
    SnapshotSerializer,
)
from jobs.idempotency import answer_once
from jobs.models import JobLink
from tags.actions import tags_of
from tags.api import Tagged
from tags.models import TagLink

EXAMPLE = {"drive": "0e305bb9-f512-4d4a-894c-4a733cae570f", "name": "before the update"}


class SnapshotViewSet(ResourceViewSet):
    """The snapshots of the user who asks, newest first; every list shows them in full."""

    kind = SNAPSHOTS
    serializer_class = SnapshotSerializer
    action_methods: ClassVar[dict[str, str]] = {"clone": "clone"}
    exchanges: ClassVar[dict[str, Exchange]] = {
        "create": created(SnapshotRequest, SnapshotSerializer, EXAMPLE, errors=(404,)),
        "update": updated(SnapshotChange, SnapshotSerializer, {"name": "before the update"}),
        "destroy_several": deleted_several(DeletionRequest),
        "clone": cloned(
            DriveCloneRequest, SnapshotCloneSerializer, {"name": "from a snapshot"}, Shape.BARE
        ),
    }
    filter_lookups: ClassVar[dict[str, str]] = {
        "drive": "drive_id",
        "name": "name",
        "name__contains": "name__icontains",
        "uuid": "pk",
    }
    ordering_lookups: ClassVar[dict[str, str]] = {"uuid": "pk", "name": "name"}
    filter_conditions: ClassVar[dict[str, Condition]] = {"tag": TagLink.objects.tagged(SNAPSHOTS)}
    default_order: ClassVar[tuple[str, ...]] = ("-created_at",)

    schema_list_methods: ClassVar[Names] = ["get", "delete", "post"]
    schema_detail_methods: ClassVar[Names] = ["get", "put", "delete"]
    schema_filtering: ClassVar[dict[str, Any]] = dict.fromkeys([*filter_lookups, "tag"], "exact")
    schema_ordering: ClassVar[Names] = ["uuid", "name"]

    def get_queryset(self) -> QuerySet[Snapshot]:
        return Snapshot.objects.owned_by(self.owner)

    def serialize(self, objects: Iterable[Any]) -> Objects:
        objects = list(objects)
        tags = TagLink.objects.tags_of(SNAPSHOTS, [each.pk for each in objects])
        for each in objects:
            each.visible_tags = tags.get(each.pk, [])
        return super().serialize(objects)

    @action(detail=False, url_path="detail")
    def detailed_list(self, request: Request, **kwargs: Any) -> HttpResponseBase:
        """Answer the list."""
        return self.list(request)

    def create(self, request: Request) -> Response:
        """Take one snapshot, or several of which all are taken or none."""
        given = validate_each(SnapshotRequest, objects_of(request.data))
        snapshots = actions.create_snapshots(self.owner, [SnapshotSpec(**data) for data in given])
        return self.made(SNAPSHOTS, snapshots)

    def update(self, request: Request, uuid: str) -> Response:
        """Change name, meta and tags."""
        (changes,) = validate_each(SnapshotChange, [request.data])
        snapshot = actions.update_snapshot(UUID(uuid), self.owner, changes)
        return Response(self.serialize([snapshot])[0])

    def destroy(self, request: Request, uuid: str) -> Response:
        """Delete one snapshot."""
        actions.delete_snapshots([UUID(uuid)], self.owner)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def destroy_several(self, request: Request) -> Response:
        """Delete the snapshots that the body lists, all or none."""
        listed = validate_each(DeletionRequest, objects_of(request.data))
        actions.delete_snapshots([item["uuid"] for item in listed], self.owner)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def clone(self, request: Request, uuid: str) -> Response:
        """Make one drive, however often the request is sent with the same `Idempotency-Key`."""
        return answer_once(request, lambda: self.clone_now(request, uuid))

    def clone_now(self, request: Request, uuid: str) -> Response:
        """Make a new drive with the snapshot's data; a job copies them.

        The answer is the bare drive, and its `resource_uri` a reference, as documented.
        """
        (wishes,) = validate_each(DriveCloneRequest, [request.data])
        avoid = uuids_in(request, "avoid")
        drive: Any = actions.clone_snapshot(UUID(uuid), self.owner, wishes, avoid)
        drive.visible_jobs = JobLink.objects.visible_jobs(KIND, [drive.pk], self.owner)[drive.pk]
        drive.visible_tags = tags_of(KIND, drive.pk)
        shown = SnapshotCloneSerializer().to_representation(drive)
        return Response(shown, status.HTTP_202_ACCEPTED)


class TaggedSnapshotViewSet(Tagged, SnapshotViewSet):
    """`/tags/{uuid}/snapshots/`, and its `detail/`: the snapshots that have a tag."""
