"""How clients send an image in chunks: as the files of forms, or as raw bytes to links."""

from typing import Any

from rest_framework.test import APIClient

from drives.models import Drive
from drives.operations import backend_of
from tests.wire import API

INIT = f"{API}/initupload/"
KIB = 1024
CHUNK = 64 * KIB
BOUNDARY = "b0undary"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def begin(api: APIClient, size: int, **said: Any) -> Drive:
    """Begin an upload and return its drive."""
    definition = {"name": "image", "media": "disk", "size": size, **said}
    response = api.post(INIT, {"objects": [definition]})
    assert response.status_code == 201, response.json()
    return Drive.objects.get(pk=response.json()["objects"][0]["uuid"])


def fields(number: int, total: int, size: int = CHUNK) -> dict[str, str]:
    """Return what a client of resumable.js says of a chunk."""
    return {
        "resumableChunkNumber": str(number),
        "resumableChunkSize": str(size),
        "resumableTotalSize": str(total),
        "resumableIdentifier": "disk.img",
        "resumableFilename": "disk.img",
    }


def form(said: dict[str, str], data: bytes) -> bytes:
    """Return the body of a form all of whose parts are files, as the Python client sends it."""
    head = 'Content-Disposition: form-data; name="{0}"; filename="{0}"'
    parts = [(name, value.encode()) for name, value in said.items()]
    body = b"".join(
        f"--{BOUNDARY}\r\n{head.format(name)}\r\n\r\n".encode() + value + b"\r\n"
        for name, value in [*parts, ("file", data)]
    )
    return body + f"--{BOUNDARY}--\r\n".encode()


def address(drive: Drive) -> str:
    return f"{API}/drives/{drive.pk}/upload/"


def chunks_of(data: bytes, size: int = CHUNK) -> dict[int, bytes]:
    """Return the chunks by their numbers, from 1; the last one takes what remains."""
    count = max(1, len(data) // size)
    ends = [*range(size, count * size, size), len(data)]
    return {n + 1: data[n * size : end] for n, end in enumerate(ends)}


def send(api: APIClient, drive: Drive, number: int, data: bytes, total: int) -> Any:
    body = form(fields(number, total), data)
    return api.generic("POST", address(drive), body, content_type=FORM)


def ask(api: APIClient, drive: Drive, number: int, total: int) -> int:
    return api.get(address(drive), fields(number, total)).status_code


def bytes_of(drive: Drive, length: int) -> bytes:
    """Return the beginning of a drive's image."""
    with backend_of(drive).open(drive.pk) as image:
        return image.read(length)
