"""`/drives/`: requests are checked for their form here; what may be done, the actions decide."""

from typing import Any, BinaryIO, ClassVar, cast
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response

from cloudjobs.api.bodies import objects_of, uuids_in, validate_each
from cloudjobs.api.exceptions import Invalid, NotSatisfiable, Refused
from cloudjobs.api.filters import Condition
from cloudjobs.api.openapi.exchanges import (
    AVOID,
    Exchange,
    Shape,
    cloned,
    created,
    deleted_several,
    parameter,
    updated,
)
from cloudjobs.api.renderers import OwnFormNegotiation
from cloudjobs.api.viewsets import UUID_PATTERN, Names
from drives import actions
from drives.actions import DriveSpec
from drives.cloning import clone_drive
from drives.downloads import image_response
from drives.models import Drive
from drives.querysets import KIND
from drives.schema import DriveSchema
from drives.serializers import (
    DeletionRequest,
    DriveCloneRequest,
    DriveRequest,
    DriveResizeRequest,
    DriveSerializer,
    ShortDriveSerializer,
    TaggedDriveSerializer,
    UploadRequest,
)
from drives.uploads.actions import find_upload, has_chunk
from drives.uploads.links import chunk_link
from drives.uploads.serializers import ChunkRequest
from drives.uploads.spans import span_of
from drives.uploads.whole import upload_drive
from jobs.api import WorkedOnViewSet
from jobs.idempotency import answer_once
from tags.api import Tagged
from tags.models import TagLink

MOST_DIGITS = 99  # of a length; more of them take long to read
UPLOAD_TYPE = "application/octet-stream"
BYTES = {"type": "string", "format": "binary"}
UUIDS = {"type": "array", "items": {"type": "string", "format": "uuid"}}
EXAMPLE = {"name": "disk", "size": 1024**3, "media": "disk"}
CLONE_EXAMPLE = {"name": "copy of the disk"}
LINK = {"type": "object", "required": ["link"], "properties": {"link": {"type": "string"}}}
RANGE = parameter(
    "Range", {"type": "string", "example": "bytes=0-1023"}, "Which bytes to answer", "header"
)
IF_RANGE = parameter(
    "If-Range", {"type": "string"}, "With it the whole image is answered", "header"
)


class ClonedViewSet(WorkedOnViewSet):
    """Base of the resources whose objects are drives that can be cloned."""

    kind = KIND
    clone_request: ClassVar[type[DriveCloneRequest]] = DriveCloneRequest

    def clone(self, request: Request, uuid: str) -> Response:
        """Make one clone, however often the request is sent with the same `Idempotency-Key`."""
        return answer_once(request, lambda: self.clone_now(request, uuid))

    def clone_now(self, request: Request, uuid: str) -> Response:
        """Make a new drive with this one's data; a job copies them."""
        wishes = self.validated(self.clone_request, request)
        avoid = uuids_in(request, "avoid")
        drive = clone_drive(UUID(uuid), self.owner, wishes, avoid)
        return self.accepted(drive)

    def accepted(self, drive: Drive) -> Response:
        return Response({"objects": self.serialize([drive])}, status.HTTP_202_ACCEPTED)

    def validated(self, serializer_class: type[DriveRequest], request: Request) -> dict[str, Any]:
        return validate_each(serializer_class, [request.data])[0]


class DriveViewSet(ClonedViewSet):
    """The drives of the user who asks; by its uuid, one of the library too."""

    page_namespace = "drives"
    serializer_class = DriveSerializer
    short_serializer_class = ShortDriveSerializer
    schema_serializer_class = DriveSchema
    action_methods: ClassVar[dict[str, str]] = {
        "clone": "clone",
        "resize": "resize",
        "upload_chunk": "link_chunk",
    }
    exchanges: ClassVar[dict[str, Exchange]] = {
        "create": created(DriveRequest, DriveSerializer, EXAMPLE, query=(AVOID,)),
        "update": updated(DriveRequest, DriveSerializer, EXAMPLE),
        "destroy_several": deleted_several(DeletionRequest),
        "clone": cloned(DriveCloneRequest, DriveSerializer, CLONE_EXAMPLE),
        "resize": Exchange(
            DriveSerializer,
            shape=Shape.OBJECTS,
            status=status.HTTP_202_ACCEPTED,
            body=DriveResizeRequest,
            example={"size": 2 * 1024**3},
        ),
        "upload_chunk": Exchange(
            LINK,
            body=ChunkRequest,
            errors=(416,),
            example={"chunk_number": 0, "chunk_size": 1024**2},
        ),
        "availability_groups": Exchange({"type": "array", "items": UUIDS}),
        "availability_group": Exchange(UUIDS),
        "upload": Exchange(
            {"type": "string", "format": "uuid"},
            media_type="text/plain",
            raw={UPLOAD_TYPE: BYTES},
            query=(UploadRequest, AVOID),
        ),
        "download": Exchange(
            BYTES,
            media_type=UPLOAD_TYPE,
            query=(RANGE, IF_RANGE),
            also=(206,),
            errors=(403, 416),
            headers=("Accept-Ranges", "Content-Disposition", "Content-Range"),
        ),
    }
    filter_conditions: ClassVar[dict[str, Condition]] = {"tag": TagLink.objects.tagged(KIND)}

    def get_queryset(self) -> QuerySet[Drive]:
        drives = Drive.objects.all()
        mine = drives.reachable_by(self.owner) if self.detail else drives.owned_by(self.owner)
        if self.is_short:
            return mine
        return mine.with_mounts_of(self.owner).prefetch_related("snapshots")

    def create(self, request: Request) -> Response:
        """Make one drive, or several of which all are made or none."""
        given = validate_each(DriveRequest, objects_of(request.data))
        specs = [DriveSpec(**data) for data in given]
        drives = actions.create_drives(self.owner, specs, uuids_in(request, "avoid"))
        return self.made(KIND, drives)

    def update(self, request: Request, uuid: str) -> Response:
        """Change a drive by its full definition."""
        changes = self.validated(DriveRequest, request)
        drive = actions.update_drive(UUID(uuid), self.owner, changes)
        return Response(self.serialize([drive])[0])

    def destroy(self, request: Request, uuid: str) -> Response:
        """Delete one drive."""
        actions.delete_drives([UUID(uuid)], self.owner)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def destroy_several(self, request: Request) -> Response:
        """Delete the drives that the body lists, all or none."""
        listed = validate_each(DeletionRequest, objects_of(request.data))
        actions.delete_drives([item["uuid"] for item in listed], self.owner)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def resize(self, request: Request, uuid: str) -> Response:
        """Grow a drive."""
        changes = self.validated(DriveResizeRequest, request)
        return self.accepted(actions.resize_drive(UUID(uuid), self.owner, changes))

    def link_chunk(self, request: Request, uuid: str) -> Response:
        """Answer the address to which one chunk of an upload is sent, without a login."""
        named = validate_each(ChunkRequest, [request.data])[0]
        upload = find_upload(UUID(uuid), self.owner)
        span = span_of(named["chunk_number"], named["chunk_size"], upload.length)
        if has_chunk(upload, span):
            raise NotSatisfiable("This chunk is there already.", "chunk_number")
        return Response({"link": chunk_link(upload.pk, span)})

    @action(detail=False, url_path="availability_groups")
    def availability_groups(self, request: Request) -> Response:
        """Answer the uuids of the drives, grouped by the storage host on which they lie."""
        groups: dict[str, Names] = {}
        rows = self.get_queryset().order_by("storage_host", "created_at", "pk")
        for host, uuid in rows.values_list("storage_host", "pk"):
            groups.setdefault(host, []).append(str(uuid))
        return Response(list(groups.values()))

    @action(detail=False, url_path=f"availability_groups/(?P<uuid>{UUID_PATTERN})")
    def availability_group(self, request: Request, uuid: str) -> Response:
        """Answer the uuids of the drives that lie on the same storage host as this one."""
        host = self.get_object().storage_host
        neighbours = self.get_queryset().filter(storage_host=host).order_by("created_at", "pk")
        return Response([str(uuid) for uuid in neighbours.values_list("pk", flat=True)])

    @action(detail=True, content_negotiation_class=OwnFormNegotiation)
    def download(self, request: Request, uuid: str) -> HttpResponseBase:
        """Stream the image, or the range of it that is asked for."""
        drive: Drive = self.get_object()
        if not drive.is_readable:
            raise Refused(f"A drive that is {drive.status} cannot be downloaded.", "status")
        partial = None if "If-Range" in request.headers else request.headers.get("Range")
        return image_response(drive, partial)

    def upload(self, request: Request, name: str = "") -> HttpResponse:
        """Store the request's body as a new drive and answer its uuid as text."""
        if request.content_type.split(";")[0].strip().lower() != UPLOAD_TYPE:
            raise UnsupportedMediaType(request.content_type)
        spec = self.upload_spec(request, name)
        length = content_length(request)
        avoid, body = uuids_in(request, "avoid"), cast(BinaryIO, request._request)
        try:
            drive = upload_drive(self.owner, spec, body, length, avoid)
        except UnreadablePostError:
            raise Invalid("The upload broke off.", "Content-Length") from None
        return HttpResponse(str(drive.pk), content_type="text/plain", status=200)

    def upload_spec(self, request: Request, name: str) -> DriveSpec:
        """Return what the address says of the drive: its name, and `media` and `storage_type`."""
        said = request.query_params.dict() | ({"name": name} if name else {})
        return DriveSpec(size=0, **validate_each(UploadRequest, [said])[0])


class TaggedDriveViewSet(Tagged, DriveViewSet):
    """`/tags/{uuid}/drives/`, and its `detail/`: the drives that have a tag."""

    short_serializer_class = TaggedDriveSerializer


def content_length(request: Request) -> int:
    """Return the bytes that an upload announces.

    Raises:
        Invalid: it announces none.
    """
    text = request.META.get("CONTENT_LENGTH") or ""
    if not (text.isascii() and text.isdigit()) or len(text) > MOST_DIGITS or int(text) == 0:
        raise Invalid("An upload announces the size of the image.", "Content-Length")
    return int(text)
