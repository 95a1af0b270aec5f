"""`/initupload/` and `/drives/{uuid}/upload/`: uploads in chunks.

Two kinds of clients send chunks. Those that speak the protocol of resumable.js ask with GET whether
a chunk is there, and send it with POST as the file of a form. The others have a link made for each
chunk (`do=upload_chunk`) and send it there as raw bytes.
"""

from typing import Any, BinaryIO, ClassVar, cast
from uuid import UUID

from django.http import UnreadablePostError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from werkzeug.http import parse_options_header

from cloudjobs.api.bodies import objects_of, uuids_in, validate_each
from cloudjobs.api.exceptions import Invalid, Missing
from cloudjobs.api.openapi.components import component
from cloudjobs.api.openapi.exchanges import AVOID, Exchange, OpenApi, created
from cloudjobs.api.parsers import UnreadForm, UnreadParser
from drives.actions import DriveSpec
from drives.api import BYTES, EXAMPLE, DriveViewSet, content_length
from drives.models import Upload
from drives.querysets import KIND
from drives.serializers import DriveRequest, DriveSerializer
from drives.uploads import actions
from drives.uploads.links import ChunkLinkAuthentication
from drives.uploads.multipart import ExactFile, read_form
from drives.uploads.serializers import ResumableRequest
from drives.uploads.spans import Span, span_of

FORM: OpenApi = {
    "type": "object",
    "description": "The fields that else stand in the address, then the file.",
    "required": ["file"],
    "properties": {
        **{name: {"type": "string", "pattern": "^[0-9]+$"} for name in ResumableRequest().fields},
        "file": BYTES,
    },
}


class InitUploadViewSet(DriveViewSet):
    """`POST /initupload/`: drives whose images will come in chunks."""

    openapi_tag = "drives"
    exchanges: ClassVar[dict[str, Exchange]] = {
        "create": created(
            DriveRequest, DriveSerializer, EXAMPLE, query=(AVOID,), headers=("Location", "Link")
        )
    }

    def create(self, request: Request) -> Response:
        """Make the drives; each is `uploading`, and has the size of its file meanwhile."""
        given = validate_each(DriveRequest, objects_of(request.data))
        specs = [DriveSpec(**data) for data in given]
        drives = actions.begin_uploads(self.owner, specs, uuids_in(request, "avoid"))
        response = self.made(KIND, drives)
        if len(drives) == 1:
            response["Link"] = f'<{response["Location"]}upload/>; rel="upload"'
        return response


class ChunkView(APIView):
    """The chunks of one drive: GET tells whether one is there, POST stores it."""

    openapi_tag, openapi_name = "drives", "drives_chunk"
    exchanges: ClassVar[dict[str, Exchange]] = {
        "get": Exchange(component("ActionDone"), query=(ResumableRequest,), errors=(403,)),
        "post": Exchange(
            component("ActionDone"),
            raw={UnreadParser.media_type: BYTES, UnreadForm.media_type: FORM},
            query=(ResumableRequest(partial=True),),
        ),
    }

    parser_classes = [UnreadParser, UnreadForm]
    authentication_classes = [*APIView.authentication_classes, ChunkLinkAuthentication]

    def get(self, request: Request, uuid: str) -> Response:
        """Answer 200 if the chunk is there, else 404."""
        upload = self.upload(uuid)
        if not actions.has_chunk(upload, self.span_named(upload, request.query_params.dict())):
            raise Missing("This chunk is not there yet.", "resumableChunkNumber")
        return self.stored(uuid)

    def post(self, request: Request, uuid: str) -> Response:
        """Store a chunk, from a form or from the raw body."""
        upload = self.upload(uuid)
        request.data  # noqa: B018  has the content type checked, and nothing read
        kind, options = parse_options_header(request.content_type)
        body = cast(BinaryIO, request._request)
        try:
            if kind == UnreadForm.media_type:
                self.store_form(upload, body, options.get("boundary", ""))
            else:
                self.store_raw(upload, body)
        except UnreadablePostError:
            raise Invalid("The upload broke off.", "file") from None
        return self.stored(uuid)

    def store_form(self, upload: Upload, body: BinaryIO, boundary: str) -> None:
        fields, file = read_form(body, boundary)
        span = self.span_named(upload, self.request.query_params.dict() | fields)
        actions.store_chunk(upload, span, cast(BinaryIO, ExactFile(file, span.length)))

    def store_raw(self, upload: Upload, body: BinaryIO) -> None:
        span = self.linked or self.span_named(upload, self.request.query_params.dict())
        if content_length(self.request) != span.length:
            raise Invalid(f"This chunk has {span.length} bytes.", "Content-Length")
        actions.store_chunk(upload, span, body)

    @property
    def linked(self) -> Span | None:
        """The bytes of the chunk for whose link the request came, if it came by one."""
        auth: Any = self.request.auth
        return auth if isinstance(auth, Span) else None

    def upload(self, uuid: str) -> Upload:
        user: Any = self.request.user
        return actions.find_upload(UUID(uuid), user)

    def span_named(self, upload: Upload, fields: dict[str, Any]) -> Span:
        """Return the bytes of the chunk that the fields of resumable.js name.

        Raises:
            Invalid: there is no such chunk, or the request came by the link of another one.
        """
        (named,) = validate_each(ResumableRequest, [fields])
        if named["resumableTotalSize"] != upload.length:
            raise Invalid(f"The upload has {upload.length} bytes.", "resumableTotalSize")
        span = span_of(
            named["resumableChunkNumber"] - 1,
            named["resumableChunkSize"],
            upload.length,
            named.get("resumableCurrentChunkSize"),
        )
        if self.linked not in {None, span}:
            raise Invalid("The link is for another chunk.", "resumableChunkNumber")
        return span

    def stored(self, uuid: str) -> Response:
        return Response({"action": "upload_chunk", "result": "success", "uuid": uuid.lower()})
