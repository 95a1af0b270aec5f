import io
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from jobs.models import Job
from tests.conftest import Unchanged
from tests.factories import GIB, MIB, PASSWORD, DriveFactory
from tests.wire import API, drive_json, faults_of

UPLOAD = f"{API}/drives/upload/"
OCTETS = "application/octet-stream"
LEAST = 512 * MIB


class BrokenStream(io.RawIOBase):
    """A connection that breaks after some bytes; it stands at the edge."""

    def __init__(self, count: int) -> None:
        self.left = count

    def read(self, size: int = -1) -> bytes:
        if not self.left:
            raise OSError("connection reset")
        count = min(self.left, size)
        self.left -= count
        return b"x" * count


def upload(api: APIClient, body: bytes, path: str = "", content_type: str = OCTETS) -> Any:
    return api.generic("POST", UPLOAD + path, body, content_type=content_type)


def announce(api: APIClient, length: str | int, stream: Any) -> Any:
    """Announce a length, and send whatever the stream gives."""
    environ = {"CONTENT_LENGTH": str(length), "wsgi.input": stream}
    return api.generic("POST", UPLOAD, content_type=OCTETS, **environ)


def test_upload_makes_a_drive_of_the_body(api: APIClient, owner: User, storage: Path) -> None:
    data = os.urandom(5 * MIB + 3)
    response = upload(api, data)
    drive = Drive.objects.get()
    assert response.status_code == 200
    assert response["Content-Type"] == "text/plain"
    assert response.content.decode() == str(drive.pk)
    assert (drive.owner, drive.media, drive.storage_type) == (owner, "disk", "dssd")
    assert api.get(f"{API}/drives/{drive.pk}/").json() == drive_json(drive, status="unmounted")
    with (storage / drive.storage_host / f"{drive.pk}.raw").open("rb") as image:
        assert image.read(len(data)) == data


def test_upload_that_is_small_is_grown(api: APIClient, storage: Path) -> None:
    upload(api, b"boot")
    drive = Drive.objects.get()
    assert drive.size == LEAST
    image = storage / drive.storage_host / f"{drive.pk}.raw"
    assert image.stat().st_size == LEAST
    assert image.stat().st_blocks * 512 < MIB


def test_upload_of_zeros_takes_no_space(api: APIClient, storage: Path) -> None:
    upload(api, bytes(8 * MIB))
    drive = Drive.objects.get()
    assert (storage / drive.storage_host / f"{drive.pk}.raw").stat().st_blocks == 0


def test_upload_makes_no_job(api: APIClient) -> None:
    upload(api, b"boot")
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("", "upload"),
        ("?name=mine", "mine"),
        ("disk.img", "disk.img"),
        ("disk.img/", "disk.img"),
        ("a/b.img", "a/b.img"),
        (quote("💾 disk"), "💾 disk"),
        (quote("../../etc/passwd"), "../../etc/passwd"),
        ("x" * 255, "x" * 255),
        ("in-the-path?name=in-the-query", "in-the-path"),
    ],
)
def test_address_names_the_drive(api: APIClient, path: str, name: str) -> None:
    assert upload(api, b"boot", path).status_code == 200
    assert Drive.objects.get().name == name


def test_query_tells_media_and_storage_type(api: APIClient) -> None:
    upload(api, b"boot", "live.iso?media=cdrom&storage_type=nvme")
    drive = Drive.objects.get()
    found = (drive.name, drive.media, drive.storage_type, drive.storage_host)
    assert found == ("live.iso", "cdrom", "nvme", "nvme-1")


def test_avoided_drive_lies_on_another_host(api: APIClient, owner: User) -> None:
    other = DriveFactory(owner=owner, storage_host="dssd-1")
    uuid = upload(api, b"boot", f"?avoid={other.pk}").content.decode()
    assert Drive.objects.get(pk=uuid).storage_host == "dssd-2"


def test_uploaded_drive_is_downloaded_as_it_was(api: APIClient) -> None:
    data = os.urandom(MIB)
    uuid = upload(api, data).content.decode()
    response = api.get(f"{API}/drives/{uuid}/download/", headers={"range": f"bytes=0-{MIB - 1}"})
    assert response.getvalue() == data


def test_content_type_may_have_parameters(api: APIClient) -> None:
    assert upload(api, b"boot", content_type=f"{OCTETS}; charset=binary").status_code == 200


def test_browser_session_uploads_with_its_token(owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    login = {"username": owner.email, "password": PASSWORD}
    client.post(f"{API}/accounts/action/?do=login", login, content_type="application/json")
    headers = {"X-CSRFToken": client.cookies["csrftoken"].value}
    refused = client.generic("POST", UPLOAD, b"boot", content_type=OCTETS)
    taken = client.generic("POST", UPLOAD, b"boot", content_type=OCTETS, headers=headers)
    assert (refused.status_code, taken.status_code) == (403, 200)
    assert Drive.objects.get().owner == owner


def test_anonymous_uploads_nothing(anonymous_api: APIClient, unchanged: Unchanged) -> None:
    with unchanged():
        assert upload(anonymous_api, b"boot").status_code == 401


def test_uploaded_drive_is_not_there_for_a_stranger(
    api: APIClient, stranger_api: APIClient
) -> None:
    uuid = upload(api, b"boot").content.decode()
    assert stranger_api.get(f"{API}/drives/{uuid}/").status_code == 404


@pytest.mark.parametrize(
    "content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""]
)
def test_other_content_types_are_refused(
    api: APIClient, unchanged: Unchanged, content_type: str
) -> None:
    with unchanged():
        response = upload(api, b"{}", content_type=content_type)
    assert response.status_code == 415
    assert faults_of(response) == [("validation", None)]


@pytest.mark.parametrize("length", ["", "0", "-1", "x", "1.5", "９"])
def test_length_must_be_announced(api: APIClient, unchanged: Unchanged, length: str) -> None:
    with unchanged():
        response = announce(api, length, io.BytesIO(b"boot"))
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "Content-Length")]


@pytest.mark.parametrize("sent", [0, 3, 5 * MIB])
def test_short_upload_leaves_nothing(api: APIClient, unchanged: Unchanged, sent: int) -> None:
    with unchanged():
        response = announce(api, 6 * MIB, io.BytesIO(b"x" * sent))
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "Content-Length")]


@pytest.mark.parametrize("sent", [0, 3, 5 * MIB])
def test_broken_upload_leaves_nothing(api: APIClient, unchanged: Unchanged, sent: int) -> None:
    with unchanged():
        response = announce(api, 6 * MIB, BrokenStream(sent))
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "Content-Length")]


def test_more_than_was_announced_is_left_unread(api: APIClient, storage: Path) -> None:
    announce(api, 4, io.BytesIO(b"boot and more"))
    drive = Drive.objects.get()
    with (storage / drive.storage_host / f"{drive.pk}.raw").open("rb") as image:
        assert image.read(8) == b"boot\0\0\0\0"


@pytest.mark.parametrize("length", [64 * GIB + 1, 2**70, 10**30])
def test_upload_over_the_capacity_is_refused_unread(
    api: APIClient, unchanged: Unchanged, length: int
) -> None:
    stream = io.BytesIO(b"boot")
    with unchanged():
        response = announce(api, length, stream)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "size")]
    assert stream.tell() == 0


def test_upload_over_the_free_space_is_refused_unread(
    api: APIClient, settings: Settings, unchanged: Unchanged
) -> None:
    hosts = settings.STORAGE_HOSTS
    for host in hosts.values():
        host["options"]["capacity"] = GIB
    settings.STORAGE_HOSTS = dict(hosts)
    stream = io.BytesIO(b"boot")
    with unchanged():
        response = announce(api, 2 * GIB, stream)
    assert response.status_code == 503
    assert faults_of(response) == [("backend", None)]
    assert stream.tell() == 0


@pytest.mark.parametrize(
    ("path", "point"),
    [
        ("?media=floppy", "media"),
        ("?media=", "media"),
        ("?storage_type=floppy", "storage_type"),
        ("?avoid=x", "avoid"),
        ("x" * 256, "name"),
        ("x" * 10_000, "name"),
        ("a%00b", "name"),
        ("%20", "name"),
        ("?name=" + "x" * 256, "name"),
    ],
)
def test_bad_address_leaves_nothing(
    api: APIClient, unchanged: Unchanged, path: str, point: str
) -> None:
    with unchanged():
        response = upload(api, b"boot", path)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", point)]


def test_upload_is_asked_for_with_post(api: APIClient) -> None:
    response = api.get(UPLOAD)
    assert response.status_code == 405
    assert faults_of(response) == [("validation", None)]
