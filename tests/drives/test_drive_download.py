import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from tests.factories import MIB, DriveFactory
from tests.wire import API, faults_of

SIZE = 3 * MIB
DATA = os.urandom(SIZE)


@pytest.fixture
def drive(owner: User) -> Drive:
    return DriveFactory(owner=owner, size=SIZE, image=DATA)


def path(drive: Drive) -> str:
    return f"{API}/drives/{drive.pk}/download/"


def part(api: APIClient, drive: Drive, asked: str) -> Any:
    return api.get(path(drive), headers={"range": asked})


def test_whole_image_is_streamed(api: APIClient, drive: Drive) -> None:
    response = api.get(path(drive))
    assert response.status_code == 200
    assert response.streaming
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Length"] == str(SIZE)
    assert response["Accept-Ranges"] == "bytes"
    assert response["Content-Disposition"] == f'attachment; filename="{drive.pk}.raw"'
    assert "Content-Range" not in response
    assert response.getvalue() == DATA


@pytest.mark.parametrize(
    ("asked", "begin", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=100-199", 100, 200),
        ("bytes=100-100", 100, 101),
        (f"bytes={MIB - 1}-{MIB}", MIB - 1, MIB + 1),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        ("bytes=100-", 100, SIZE),
        ("bytes=0-", 0, SIZE),
        ("bytes=-1", SIZE - 1, SIZE),
        ("bytes=-500", SIZE - 500, SIZE),
        (f"bytes=-{SIZE}", 0, SIZE),
        (f"bytes=-{SIZE + 1}", 0, SIZE),
        (f"bytes=0-{10**30}", 0, SIZE),
        (f"bytes={SIZE - 2}-{SIZE + 5}", SIZE - 2, SIZE),
        ("Bytes=0-9", 0, 10),
    ],
)
def test_range_is_a_part_of_the_image(
    api: APIClient, drive: Drive, asked: str, begin: int, end: int
) -> None:
    response = part(api, drive, asked)
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {begin}-{end - 1}/{SIZE}"
    assert response["Content-Length"] == str(end - begin)
    assert response.getvalue() == DATA[begin:end]


@pytest.mark.parametrize(
    "asked", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 9}", f"bytes={10**30}-"]
)
def test_range_outside_the_image_is_416(api: APIClient, drive: Drive, asked: str) -> None:
    response = part(api, drive, asked)
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=0-9,20-29",
        "bytes=9-0",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=--5",
        "bytes=-0",
        "bytes",
        "nonsense",
        "items=0-9",
        "",
        "bytes=1.5-9",
        "bytes=٣-9",
    ],
)
def test_range_that_is_none_or_several_gets_the_whole(
    api: APIClient, drive: Drive, asked: str
) -> None:
    response = part(api, drive, asked)
    assert response.status_code == 200
    assert response.getvalue() == DATA


def test_parts_make_up_the_whole(api: APIClient, drive: Drive) -> None:
    step = SIZE // 7 + 1
    ranges = [f"bytes={begin}-{begin + step - 1}" for begin in range(0, SIZE, step)]
    parts = [part(api, drive, asked).getvalue() for asked in ranges]
    assert b"".join(parts) == DATA


def test_image_is_never_zipped(api: APIClient, drive: Drive) -> None:
    response = api.get(path(drive), headers={"accept-encoding": "gzip"})
    assert response["Content-Length"] == str(SIZE)
    assert response.getvalue() == DATA


def test_head_tells_the_size(api: APIClient, drive: Drive) -> None:
    response = api.head(path(drive))
    assert response.status_code == 200
    assert response["Content-Length"] == str(SIZE)


def test_drive_of_another_is_not_there(stranger_api: APIClient, drive: Drive) -> None:
    response = stranger_api.get(path(drive))
    assert response.status_code == 404
    assert faults_of(response) == [("notexist", None)]


def test_download_is_not_for_anonymous(anonymous_api: APIClient, drive: Drive) -> None:
    assert anonymous_api.get(path(drive)).status_code == 401


def test_drive_that_never_was_is_not_there(api: APIClient) -> None:
    assert api.get(f"{API}/drives/{uuid4()}/download/").status_code == 404


@pytest.mark.parametrize(
    "status", ["creating", "cloning_dst", "resizing", "uploading", "deleting", "unavailable"]
)
def test_drive_without_a_whole_image_is_refused(api: APIClient, drive: Drive, status: str) -> None:
    Drive.objects.update(status=status)
    response = api.get(path(drive))
    assert response.status_code == 403
    assert faults_of(response) == [("permission", "status")]


def test_drive_is_downloaded_while_it_is_cloned(
    api: APIClient, drive: Drive, run_jobs: Callable[[], None]
) -> None:
    api.post(f"{API}/drives/{drive.pk}/action/?do=clone", {"size": 512 * MIB})
    assert part(api, drive, "bytes=0-9").getvalue() == DATA[:10]


def test_image_that_is_missing_is_an_error_of_the_backend(
    api: APIClient, drive: Drive, storage: Path
) -> None:
    (storage / "dssd-1" / f"{drive.pk}.raw").unlink()
    response = api.get(path(drive))
    assert response.status_code == 503
    assert faults_of(response)[0][0] == "backend"
