"""JSON bodies, bounded in size and depth before anything else looks at them; and raw bytes."""

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, JSONParser

from cloudjobs.api.exceptions import BodyTooLarge


class BoundedJSONParser(JSONParser):
    """Reads at most `DATA_UPLOAD_MAX_MEMORY_SIZE` bytes of strict JSON; no body is no data."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the decoded body.

        Raises:
            BodyTooLarge: more bytes than allowed.
            ParseError: not UTF-8, not JSON, or nested too deeply.
        """
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge()
        if not body.strip():
            return {}
        try:
            return json.loads(body.decode(), parse_constant=refuse_constant)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
        except ValueError as error:
            raise ParseError(f"The body is no valid JSON: {error}") from None


class UnreadParser(BaseParser):
    """Takes raw bytes and leaves them unread: the view streams them.

    Django REST framework asks for a parser early, as its CSRF check looks for form data.
    """

    media_type = "application/octet-stream"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return {}


class UnreadForm(UnreadParser):
    """The same for forms with files."""

    media_type = "multipart/form-data"


def refuse_constant(name: str) -> None:
    """NaN and Infinity are no JSON, though Python reads them."""
    raise ValueError(f"{name} is not allowed")
