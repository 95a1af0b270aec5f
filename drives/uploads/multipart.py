"""`multipart/form-data` read as it comes: small fields, then one file that is streamed."""

from collections.abc import Iterator
from io import RawIOBase
from typing import Any, BinaryIO, cast

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import (
    Data,
    Epilogue,
    Event,
    Field,
    File,
    MultipartDecoder,
    NeedData,
)

from cloudjobs.api.exceptions import Invalid

BLOCK = 256 * 1024  # bytes
LONGEST_FIELD = 4096  # bytes
MOST_PARTS = 32
FILE = "file"


def read_form(stream: Any, boundary: str) -> tuple[dict[str, str], BinaryIO]:
    """Return the fields that come before the file, and the file, still unread.

    Some clients send each field as a file; only the name tells them apart.

    Raises:
        Invalid: there is no file, a field is too long, or it is no such form.
    """
    if not boundary:
        raise Invalid("The form names no boundary.", "Content-Type")
    events = form_events(stream, boundary)
    fields: dict[str, str] = {}
    for event in events:
        if isinstance(event, Field | File):
            if event.name == FILE:
                return fields, cast(BinaryIO, FilePart(events))
            fields[event.name] = field_text(events, event.name)
    raise Invalid("The form holds no file.", FILE)


def form_events(stream: Any, boundary: str) -> Iterator[Event]:
    """Yield what the body consists of, reading one block after the other."""
    decoder = MultipartDecoder(boundary.encode(), 4 * BLOCK, max_parts=MOST_PARTS)
    while True:
        try:
            event = decoder.next_event()
            if isinstance(event, NeedData):
                decoder.receive_data(stream.read(BLOCK) or None)
        except (ValueError, RequestEntityTooLarge) as error:
            raise Invalid("The body is no such form, or is cut off.", FILE) from error
        if not isinstance(event, NeedData):
            yield event
        if isinstance(event, Epilogue):
            return


def field_text(events: Iterator[Event], name: str) -> str:
    """Return the value of the field whose part has begun."""
    value = b""
    for data in part_data(events):
        value += data
        if len(value) > LONGEST_FIELD:
            raise Invalid(f"A field has at most {LONGEST_FIELD} bytes.", name)
    return value.decode(errors="replace")


def part_data(events: Iterator[Event]) -> Iterator[bytes]:
    """Yield the data of the part that has begun, up to its end."""
    for event in events:
        if isinstance(event, Data):
            yield event.data
            if not event.more_data:
                return


class ExactFile(RawIOBase):
    """A file of exactly `length` bytes.

    Raises:
        Invalid: it has more, as the last one of its bytes is read.
    """

    def __init__(self, file: BinaryIO, length: int) -> None:
        self.file, self.left, self.length = file, length, length

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.left -= len(data)
        if self.left < 0 or (self.left == 0 and self.file.read(1)):
            raise Invalid(f"This chunk has {self.length} bytes, not more.", FILE)
        return data


class FilePart(RawIOBase):
    """The file of a form as a stream; what it gives at once may be less than asked for."""

    def __init__(self, events: Iterator[Event]) -> None:
        self.data = part_data(events)
        self.rest = memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        while not self.rest:
            block = next(self.data, None)
            if block is None:
                return b""
            self.rest = memoryview(block)
        given = self.rest if size < 0 else self.rest[:size]
        self.rest = self.rest[len(given) :]
        return bytes(given)
