"""Uploads in chunks: begun, sent in any order, sent twice, broken off, given up."""

import os
import random
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive, Upload
from drives.operations import backend_of
from drives.placement import reserved_bytes, rooms_on
from drives.storage import get_host
from tests.chunks import (
    CHUNK,
    FORM,
    INIT,
    address,
    ask,
    begin,
    bytes_of,
    chunks_of,
    fields,
    form,
    send,
)
from tests.conftest import Unchanged
from tests.drives.test_drive_upload import BrokenStream
from tests.factories import GIB, MIB, DriveFactory
from tests.wire import API, drive_json, faults_of, runtime_json

LEAST = 512 * MIB


# --- beginning ------------------------------------------------------------------------------


def test_upload_begins_with_a_drive_of_the_size_of_the_file(api: APIClient) -> None:
    definition = {"name": "image", "media": "cdrom", "size": str(MIB + 1), "meta": {"a": "b"}}
    response = api.post(INIT, {"objects": [definition]})
    drive = Drive.objects.get()
    runtime = runtime_json("dssd", downloadable=False, snapshotable=False)
    (shown,) = response.json()["objects"]
    assert response.status_code == 201
    assert shown == drive_json(drive, size=MIB + 1, status="uploading", runtime=runtime)
    assert (drive.media, drive.meta) == ("cdrom", {"a": "b"})
    assert response["Location"] == f"{API}/drives/{drive.pk}/"
    assert response["Link"] == f'<{address(drive)}>; rel="upload"'


def test_several_uploads_begin_or_none(api: APIClient, unchanged: Unchanged) -> None:
    good = {"name": "a", "media": "disk", "size": MIB}
    with unchanged():
        response = api.post(INIT, [good, {**good, "storage_type": "floppy"}])
    assert faults_of(response) == [("validation", "objects.1.storage_type")]
    assert len(api.post(INIT, [good, good]).json()["objects"]) == 2


@pytest.mark.parametrize(
    ("said", "point"),
    [
        ({"size": 0}, "size"),
        ({"size": "x"}, "size"),
        ({"size": 65 * GIB}, "size"),
        ({"name": ""}, "name"),
        ({"media": "floppy"}, "media"),
        ({"storage_type": "floppy"}, "storage_type"),
    ],
)
def test_bad_definition_begins_nothing(
    api: APIClient, unchanged: Unchanged, said: dict[str, Any], point: str
) -> None:
    with unchanged():
        response = api.post(INIT, {"name": "a", "media": "disk", "size": MIB} | said)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", point)]


def test_avoided_drive_lies_on_another_host(api: APIClient, owner: User) -> None:
    other = DriveFactory(owner=owner, storage_host="dssd-1")
    definition = {"name": "a", "media": "disk", "size": MIB}
    api.post(f"{INIT}?avoid={other.pk}", definition)
    assert Drive.objects.get(name="a").storage_host == "dssd-2"


def room() -> int:
    return rooms_on([get_host("nvme-1")], reserved_bytes())["nvme-1"]


def test_what_is_announced_counts_as_used(api: APIClient, settings: Settings) -> None:
    hosts = settings.STORAGE_HOSTS
    for host in hosts.values():
        host["options"]["capacity"] = GIB
    settings.STORAGE_HOSTS = dict(hosts)
    before = room()
    drive = begin(api, 700 * MIB, storage_type="nvme")
    assert room() == before - 700 * MIB
    refused = api.post(INIT, {"name": "b", "media": "disk", "size": 400 * MIB})
    assert (refused.status_code, faults_of(refused)) == (503, [("backend", None)])
    Upload.objects.filter(pk=drive.pk).update(bytes_done=500 * MIB)
    assert room() == before - 200 * MIB


def test_anonymous_begins_nothing(anonymous_api: APIClient, unchanged: Unchanged) -> None:
    with unchanged():
        response = anonymous_api.post(INIT, {"name": "a", "media": "disk", "size": MIB})
    assert response.status_code == 401


# --- chunks in forms ------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, CHUNK - 1, CHUNK, 2 * CHUNK - 1, 7 * CHUNK + 5, 3 * MIB])
def test_chunks_in_any_order_make_the_image(api: APIClient, size: int) -> None:
    data = os.urandom(size)
    drive = begin(api, size)
    chunks = list(chunks_of(data).items())
    random.Random(size).shuffle(chunks)
    for number, chunk in chunks:
        assert ask(api, drive, number, size) == 404
        assert send(api, drive, number, chunk, size).status_code == 200
    shown = api.get(f"{API}/drives/{drive.pk}/").json()
    assert (shown["status"], shown["size"]) == ("unmounted", LEAST)
    assert bytes_of(drive, size) == data
    assert backend_of(drive).size(drive.pk) == LEAST


def test_answer_to_a_chunk_names_the_drive(api: APIClient) -> None:
    drive = begin(api, MIB)
    response = send(api, drive, 1, b"x" * CHUNK, MIB)
    stored = {"action": "upload_chunk", "result": "success", "uuid": str(drive.pk)}
    assert response.json() == stored
    assert api.get(address(drive), fields(1, MIB)).json() == stored


def test_missing_chunk_is_not_there(api: APIClient) -> None:
    drive = begin(api, MIB)
    response = api.get(address(drive), fields(2, MIB))
    assert response.status_code == 404
    assert faults_of(response) == [("notexist", "resumableChunkNumber")]


def test_drive_shows_the_size_of_the_file_until_all_is_there(api: APIClient) -> None:
    drive = begin(api, MIB)
    send(api, drive, 2, b"x" * CHUNK, MIB)
    shown = api.get(f"{API}/drives/{drive.pk}/").json()
    assert (shown["status"], shown["size"]) == ("uploading", MIB)


def test_upload_goes_on_with_chunks_of_another_size(api: APIClient) -> None:
    data = os.urandom(8 * CHUNK)
    drive = begin(api, len(data))
    send(api, drive, 1, data[:CHUNK], len(data))
    body = form(fields(1, len(data), 4 * CHUNK), data[: 4 * CHUNK])
    api.generic("POST", address(drive), body, content_type=FORM)
    assert [ask(api, drive, number, len(data)) for number in (1, 4, 5)] == [200, 200, 404]
    for number in range(5, 9):
        send(api, drive, number, chunks_of(data)[number], len(data))
    assert bytes_of(drive, len(data)) == data


def test_last_chunk_may_be_shorter_if_it_says_so(api: APIClient) -> None:
    data = os.urandom(CHUNK + 5)
    drive = begin(api, len(data))
    for number, chunk in ((1, data[:CHUNK]), (2, data[CHUNK:])):
        said = fields(number, len(data)) | {"resumableCurrentChunkSize": str(len(chunk))}
        body = form(said, chunk)
        response = api.generic("POST", address(drive), body, content_type=FORM)
        assert response.status_code == 200
    assert bytes_of(drive, len(data)) == data


def test_raw_chunks_may_be_named_in_the_address(api: APIClient) -> None:
    drive = begin(api, CHUNK)
    query = "&".join(f"{name}={value}" for name, value in fields(1, CHUNK).items())
    octets = "application/octet-stream"
    response = api.generic("POST", f"{address(drive)}?{query}", b"y" * CHUNK, content_type=octets)
    assert response.status_code == 200
    assert bytes_of(drive, CHUNK) == b"y" * CHUNK


def test_chunk_that_is_there_is_not_written_again(api: APIClient) -> None:
    drive = begin(api, MIB)
    send(api, drive, 1, b"x" * CHUNK, MIB)
    assert send(api, drive, 1, b"y" * CHUNK, MIB).status_code == 200
    for number in range(2, 17):
        send(api, drive, number, b"x" * CHUNK, MIB)
    assert bytes_of(drive, MIB) == b"x" * MIB


def test_chunk_that_broke_off_is_sent_again(api: APIClient) -> None:
    drive = begin(api, CHUNK)
    cut = form(fields(1, CHUNK), b"x" * CHUNK)[: CHUNK // 2]
    refused = api.generic("POST", address(drive), cut, content_type=FORM)
    assert (refused.status_code, faults_of(refused)) == (400, [("validation", "file")])
    assert ask(api, drive, 1, CHUNK) == 404
    assert send(api, drive, 1, bytes(CHUNK), CHUNK).status_code == 200
    assert bytes_of(drive, CHUNK) == bytes(CHUNK)


def test_connection_that_broke_leaves_the_upload(api: APIClient) -> None:
    drive = begin(api, CHUNK)
    environ = {"CONTENT_LENGTH": str(CHUNK), "wsgi.input": BrokenStream(100)}
    response = api.generic("POST", address(drive), content_type=FORM, **environ)
    assert (response.status_code, faults_of(response)) == (400, [("validation", "file")])
    assert send(api, drive, 1, b"x" * CHUNK, CHUNK).status_code == 200


@pytest.mark.parametrize("length", [0, 1, CHUNK - 1, CHUNK + 1, 3 * CHUNK])
def test_chunk_of_another_length_is_not_noted(api: APIClient, length: int) -> None:
    drive = begin(api, MIB)
    response = send(api, drive, 1, b"x" * length, MIB)
    assert (response.status_code, faults_of(response)) == (400, [("validation", "file")])
    assert ask(api, drive, 1, MIB) == 404


@pytest.mark.parametrize(
    ("said", "point"),
    [
        ({"resumableChunkNumber": "0"}, "resumableChunkNumber"),
        ({"resumableChunkNumber": "17"}, "chunk_number"),
        ({"resumableChunkNumber": str(2**62)}, "chunk_number"),
        ({"resumableChunkNumber": "x"}, "resumableChunkNumber"),
        ({"resumableChunkSize": "1"}, "chunk_size"),
        ({"resumableChunkSize": "-1"}, "resumableChunkSize"),
        ({"resumableTotalSize": str(MIB + 1)}, "resumableTotalSize"),
        ({"resumableCurrentChunkSize": str(2 * CHUNK)}, "chunk_number"),
        ({"resumableCurrentChunkSize": "0"}, "resumableCurrentChunkSize"),
        ({"resumableIdentifier": "x" * 5000}, "resumableIdentifier"),
    ],
)
def test_bad_chunk_is_refused(
    api: APIClient, unchanged: Unchanged, said: dict[str, str], point: str
) -> None:
    drive = begin(api, MIB)
    with unchanged():
        body = form(fields(1, MIB) | said, b"x" * CHUNK)
        response = api.generic("POST", address(drive), body, content_type=FORM)
    assert (response.status_code, faults_of(response)) == (400, [("validation", point)])


@pytest.mark.parametrize(
    ("body", "content_type", "point"),
    [
        (b"", FORM, "file"),
        (b"nothing of the kind", FORM, "file"),
        (b"--b0undary--\r\n", FORM, "file"),
        (b"--b0undary\r\nX: y\r\n\r\nz\r\n--b0undary--\r\n", FORM, "file"),
        (b"x", "multipart/form-data", "Content-Type"),
    ],
)
def test_bad_form_is_refused(
    api: APIClient, unchanged: Unchanged, body: bytes, content_type: str, point: str
) -> None:
    drive = begin(api, MIB)
    with unchanged():
        response = api.generic("POST", address(drive), body, content_type=content_type)
    assert (response.status_code, faults_of(response)) == (400, [("validation", point)])


def test_other_content_types_are_refused(api: APIClient) -> None:
    drive = begin(api, MIB)
    response = api.post(address(drive), {"a": 1})
    assert (response.status_code, faults_of(response)) == (415, [("validation", None)])


def test_chunks_of_others_are_not_there(
    api: APIClient, stranger_api: APIClient, anonymous_api: APIClient
) -> None:
    drive = begin(api, CHUNK)
    assert ask(stranger_api, drive, 1, CHUNK) == 404
    assert send(stranger_api, drive, 1, b"x" * CHUNK, CHUNK).status_code == 404
    assert ask(anonymous_api, drive, 1, CHUNK) == 401
    assert send(anonymous_api, drive, 1, b"x" * CHUNK, CHUNK).status_code == 401
    assert Upload.objects.get().bytes_done == 0


@pytest.mark.parametrize("status", ["unmounted", "creating", "deleting"])
def test_drive_that_is_not_being_uploaded_takes_no_chunk(
    api: APIClient, owner: User, status: str
) -> None:
    drive = DriveFactory(owner=owner, status=status)
    response = send(api, drive, 1, b"x" * CHUNK, CHUNK)
    assert (response.status_code, faults_of(response)) == (403, [("permission", "status")])
