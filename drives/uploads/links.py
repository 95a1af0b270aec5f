"""Links for one chunk each: whoever has one may send that chunk, without a login, for a while."""

from typing import Any
from uuid import UUID

from django.core import signing
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from cloudjobs.api.fields import resource_uri
from drives.models import Drive
from drives.querysets import KIND
from drives.uploads.spans import Span

PARAMETER = "link"
VALID_SECONDS = 300
SALT = "drives.uploads.links"


def chunk_link(drive: UUID, span: Span) -> str:
    """Return the address to which the bytes of a chunk are sent."""
    token = signing.dumps([str(drive), *span], salt=SALT, compress=False)
    return f"{resource_uri(KIND, drive)}upload/?{PARAMETER}={token}"


class ChunkLinkAuthentication(BaseAuthentication):
    """Lets a link act for the drive's owner; `request.auth` is then the span of its chunk.

    It is for sending alone: who has one does not learn what else is there.
    """

    def authenticate(self, request: Request) -> tuple[Any, Span] | None:
        token = request.query_params.get(PARAMETER)
        if token is None or request.method != "POST":
            return None
        try:
            # There are clients that end every address with a slash, wherever it ends.
            uuid, *span = signing.loads(token.rstrip("/"), salt=SALT, max_age=VALID_SECONDS)
        except signing.BadSignature:
            raise AuthenticationFailed("The link is not valid, or not any more.") from None
        return self.owner_of(request, uuid), Span(*span)

    def owner_of(self, request: Request, uuid: str) -> Any:
        """Return the owner of the drive that the link was made for."""
        asked = request.parser_context["kwargs"]["uuid"].lower()
        drive = Drive.objects.filter(pk=uuid, owner__is_active=True).select_related("owner").first()
        if drive is None or asked != uuid:
            raise AuthenticationFailed("The link is not valid, or not any more.")
        return drive.owner
