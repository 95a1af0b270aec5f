"""Downloads: an image, or one range of it, streamed in blocks."""

from collections.abc import Iterator
from typing import BinaryIO

from django.http import JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from werkzeug.datastructures import Range
from werkzeug.http import parse_range_header

from cloudjobs.api.errors import entry
from cloudjobs.api.exceptions import BackendUnavailable
from drives.models import Drive
from drives.operations import backend_of
from drives.storage import StorageError

BLOCK = 256 * 1024  # bytes


def image_response(drive: Drive, range_header: str | None) -> HttpResponseBase:
    """Return the answer to a download: 200, 206 for a range, or 416 for one outside the image.

    Several ranges in one request are answered with the whole image, as RFC 9110 allows.
    """
    asked = parse_range_header(range_header)
    if asked is None or asked.units != "bytes" or len(asked.ranges) > 1:
        return stream(drive, 0, drive.size, 200)
    part = part_of(drive.size, asked)
    if part is None:
        fault = entry("validation", "The range lies outside of the image.", "Range")
        headers = {"Content-Range": f"bytes */{drive.size}"}
        return JsonResponse([fault], safe=False, status=416, headers=headers)
    begin, end = part
    response = stream(drive, begin, end, 206)
    response["Content-Range"] = f"bytes {begin}-{end - 1}/{drive.size}"
    return response


def part_of(size: int, asked: Range) -> tuple[int, int] | None:
    """Return begin and end of a range in an image, None if it is outside."""
    begin, _ = asked.ranges[0]
    if begin < -size:
        return 0, size  # the last n bytes are asked for, and there are fewer
    return asked.range_for_length(size)


def stream(drive: Drive, begin: int, end: int, status: int) -> StreamingHttpResponse:
    """Return the image's bytes from `begin` up to `end`."""
    response = StreamingHttpResponse(
        blocks(open_image(drive), begin, end),
        status=status,
        content_type="application/octet-stream",
    )
    response["Content-Length"] = str(end - begin)
    response["Content-Disposition"] = f'attachment; filename="{drive.pk}.raw"'
    response["Accept-Ranges"] = "bytes"
    return response


def open_image(drive: Drive) -> BinaryIO:
    """Return the drive's image, open for reading.

    Raises:
        BackendUnavailable: storage does not give it.
    """
    try:
        return backend_of(drive).open(drive.pk)
    except StorageError as error:
        raise BackendUnavailable(str(error)) from error


def blocks(image: BinaryIO, begin: int, end: int) -> Iterator[bytes]:
    """Yield the bytes of an open image from `begin` up to `end`, then close it."""
    with image:
        image.seek(begin)
        while begin < end:
            block = image.read(min(BLOCK, end - begin))
            if not block:
                return
            yield block
            begin += len(block)
