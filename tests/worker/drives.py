"""What a person does with drives, through the API of a running service."""

import hashlib
import os
from pathlib import Path
from typing import Any

import httpx

from drives.storage.sparse import data_extents
from tests.service import Service, eventually

BLOCK = 1024**2


def upload(api: httpx.Client, data: bytes, storage_type: str) -> str:
    """Upload an image and return the uuid of its drive.

    In blocks: of one piece, httpx copies what is left again for every part that it sends.
    """
    answer = api.post(
        "/drives/upload/",
        params={"storage_type": storage_type},
        content=(data[begin : begin + BLOCK] for begin in range(0, len(data), BLOCK)),
        headers={"Content-Type": "application/octet-stream", "Content-Length": str(len(data))},
    )
    assert answer.status_code == 200, answer.text
    return answer.text


def clone(api: httpx.Client, uuid: str, **wishes: Any) -> dict[str, Any]:
    """Ask for a clone and return the new drive."""
    answer = api.post(f"/drives/{uuid}/action/", params={"do": "clone"}, json=wishes)
    assert answer.status_code == 202, answer.text
    return answer.json()["objects"][0]


def finished(api: httpx.Client, job: str, timeout: float = 60) -> dict[str, Any]:
    """Wait for a job to end and return it."""

    def ended() -> dict[str, Any] | None:
        answer = api.get(f"/jobs/{job}/").json()
        return answer if answer["state"] != "started" else None

    return eventually(ended, timeout)


def progress_of(api: httpx.Client, job: str) -> int:
    return api.get(f"/jobs/{job}/").json()["data"]["progress"]


def digest_of(api: httpx.Client, uuid: str) -> str:
    """Download a drive and return the sha256 of its image."""
    digest = hashlib.sha256()
    with api.stream("GET", f"/drives/{uuid}/download/") as answer:
        assert answer.status_code == 200
        for block in answer.iter_raw():
            digest.update(block)
    return digest.hexdigest()


def content_of(service: Service, uuid: str) -> tuple[int, str]:
    """Return what `content_at` says of the image of a drive."""
    return content_at(image_of(service, uuid))


def image_of(service: Service, uuid: str) -> Path:
    (image,) = Path(service.home, "images").glob(f"*/{uuid}.raw")
    return image


def content_at(image: Path) -> tuple[int, str]:
    """Return an image's size and the sha256 of its data with their places, read from the disk."""
    digest = hashlib.sha256()
    with image.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        for begin, end in data_extents(file.fileno(), 0, size):
            digest.update(b"%d" % begin + os.pread(file.fileno(), end - begin, begin))
    return size, digest.hexdigest()


def partials_of(service: Service) -> list[Path]:
    """Return what unfinished work has left on the disk."""
    return list(Path(service.home, "images").glob("*/*.partial"))
