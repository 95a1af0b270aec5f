"""Uploads in chunks: begun, sent in any order, sent twice, broken off, given up."""

import io
import os
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from drives import placement, reconciliation
from drives.models import Drive, Upload
from drives.operations import backend_of
from drives.storage import get_host
from drives.uploads.actions import find_upload, finish_upload, purge_uploads
from jobs import retention
from tests.chunks import CHUNK, FORM, INIT, address, ask, begin, chunks_of, fields, form, send
from tests.conftest import Unchanged
from tests.drives.test_drive_upload import BrokenStream
from tests.factories import GIB, MIB, DriveFactory
from tests.wire import API, assert_as_many, drive_json, faults_of, queries_of, runtime_json

LEAST = 512 * MIB


def bytes_of(drive: Drive, length: int) -> bytes:
    with backend_of(drive).open(drive.pk) as image:
        return image.read(length)


def partial_of(drive: Drive, storage: Path) -> Path:
    return storage / drive.storage_host / f"{drive.pk}.partial"


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


def test_what_is_announced_counts_as_used(api: APIClient, settings: Settings) -> None:
    hosts = settings.STORAGE_HOSTS
    for host in hosts.values():
        host["options"]["capacity"] = GIB
    settings.STORAGE_HOSTS = dict(hosts)
    before = placement.free_bytes(get_host("nvme-1"))
    drive = begin(api, 700 * MIB, storage_type="nvme")
    assert placement.free_bytes(get_host("nvme-1")) == before - 700 * MIB
    refused = api.post(INIT, {"name": "b", "media": "disk", "size": 400 * MIB})
    assert (refused.status_code, faults_of(refused)) == (503, [("backend", None)])
    Upload.objects.filter(pk=drive.pk).update(bytes_done=500 * MIB)
    assert placement.free_bytes(get_host("nvme-1")) == before - 200 * MIB


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


# --- links ----------------------------------------------------------------------------------


def link_of(api: APIClient, drive: Drive, number: int, size: int = CHUNK) -> Any:
    body = {"chunk_number": number, "chunk_size": size}
    return api.post(f"{API}/drives/{drive.pk}/action/?do=upload_chunk", body)


def test_chunks_are_sent_to_links_without_a_login(api: APIClient, anonymous_api: APIClient) -> None:
    data = os.urandom(3 * CHUNK + 7)
    drive = begin(api, len(data))
    for number, slash in ((2, ""), (0, "/"), (1, "")):  # some clients end all addresses with one
        link = link_of(api, drive, number).json()["link"] + slash
        chunk = chunks_of(data)[number + 1]
        octets = "application/octet-stream"
        response = anonymous_api.generic("POST", link, chunk, content_type=octets)
        assert response.status_code == 200
    assert bytes_of(drive, len(data)) == data


def test_chunk_that_is_there_has_no_link(api: APIClient) -> None:
    drive = begin(api, MIB)
    send(api, drive, 1, b"x" * CHUNK, MIB)
    response = link_of(api, drive, 0)
    assert (response.status_code, faults_of(response)) == (416, [("validation", "chunk_number")])


@pytest.mark.parametrize(
    ("body", "point"),
    [
        ({"chunk_size": CHUNK}, "chunk_number"),
        ({"chunk_number": 0}, "chunk_size"),
        ({"chunk_number": -1, "chunk_size": CHUNK}, "chunk_number"),
        ({"chunk_number": 16, "chunk_size": CHUNK}, "chunk_number"),
        ({"chunk_number": 0, "chunk_size": 10}, "chunk_size"),
    ],
)
def test_bad_chunk_has_no_link(api: APIClient, body: dict[str, int], point: str) -> None:
    drive = begin(api, MIB)
    response = api.post(f"{API}/drives/{drive.pk}/action/?do=upload_chunk", body)
    assert (response.status_code, faults_of(response)) == (400, [("validation", point)])


def test_link_is_for_its_chunk_and_drive_and_a_few_minutes(
    api: APIClient, anonymous_api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive, other = begin(api, MIB), begin(api, MIB)
    link = link_of(api, drive, 0).json()["link"]
    octets = "application/octet-stream"

    def sent(to: str, length: int = CHUNK) -> int:
        body = b"x" * length
        return anonymous_api.generic("POST", to, body, content_type=octets).status_code

    assert sent(link, CHUNK + 1) == 400
    assert sent(link.replace(str(drive.pk), str(other.pk))) == 401
    assert sent(link + "x") == 401
    monkeypatch.setattr("drives.uploads.links.VALID_SECONDS", -1)
    assert sent(link) == 401
    assert not Upload.objects.exclude(bytes_done=0).exists()


def test_links_are_for_the_owner(api: APIClient, stranger_api: APIClient, owner: User) -> None:
    drive = begin(api, MIB)
    assert link_of(stranger_api, drive, 0).status_code == 404
    link = link_of(api, drive, 0).json()["link"]
    User.objects.filter(pk=owner.pk).update(is_active=False)
    octets = "application/octet-stream"
    assert APIClient().generic("POST", link, b"x", content_type=octets).status_code == 401


# --- ends -----------------------------------------------------------------------------------


def test_unfinished_upload_is_deleted_with_its_bytes(
    api: APIClient, storage: Path, run_jobs: Callable[[], None]
) -> None:
    drive = begin(api, MIB)
    send(api, drive, 1, b"x" * CHUNK, MIB)
    assert partial_of(drive, storage).exists()
    assert api.delete(f"{API}/drives/{drive.pk}/").status_code == 204
    assert send(api, drive, 2, b"x" * CHUNK, MIB).status_code == 403
    run_jobs()
    assert not Drive.objects.exists()
    assert not partial_of(drive, storage).exists()


def test_upload_that_nobody_goes_on_with_is_purged(
    api: APIClient, storage: Path, run_jobs: Callable[[], None]
) -> None:
    old, young = begin(api, MIB), begin(api, MIB)
    Upload.objects.filter(pk=old.pk).update(changed_at=timezone.now() - timedelta(hours=25))
    retention.purge()
    run_jobs()
    assert list(Drive.objects.values_list("pk", "status")) == [(young.pk, "uploading")]
    assert not partial_of(old, storage).exists()
    assert partial_of(young, storage).exists()


def test_chunk_whose_answer_was_lost_is_there_after_the_last_one(api: APIClient) -> None:
    drive = begin(api, CHUNK)
    send(api, drive, 1, b"x" * CHUNK, CHUNK)
    assert ask(api, drive, 1, CHUNK) == 200
    assert send(api, drive, 1, b"y" * CHUNK, CHUNK).status_code == 200
    assert bytes_of(drive, CHUNK) == b"x" * CHUNK
    Upload.objects.update(changed_at=timezone.now() - timedelta(hours=25))
    purge_uploads()
    assert not Upload.objects.exists()
    assert Drive.objects.get().status == "unmounted"
    assert ask(api, drive, 1, CHUNK) == 403


def test_chunk_gives_the_upload_another_day(api: APIClient) -> None:
    drive = begin(api, MIB)
    Upload.objects.update(changed_at=timezone.now() - timedelta(hours=25))
    send(api, drive, 1, b"x" * CHUNK, MIB)
    purge_uploads()
    drive.refresh_from_db()
    assert drive.status == "uploading"


def test_live_upload_is_no_leftover(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    drive = begin(api, MIB)
    send(api, drive, 1, b"x" * CHUNK, MIB)
    monkeypatch.setattr(reconciliation, "LEFT_ALONE_SECONDS", -1)
    assert reconciliation.find() == []


def test_image_is_not_published_while_somebody_writes_to_it(api: APIClient, owner: User) -> None:
    drive = begin(api, CHUNK)
    with backend_of(drive).folder.shared_partial(drive.pk):
        assert send(api, drive, 1, b"x" * CHUNK, CHUNK).status_code == 200
        assert not finish_upload(find_upload(drive.pk, owner))
    drive.refresh_from_db()
    assert drive.status == "uploading"
    assert ask(api, drive, 1, CHUNK) == 200
    drive.refresh_from_db()
    assert drive.status == "unmounted"


@pytest.mark.parametrize("is_published", [False, True])
def test_purge_publishes_what_a_dead_server_left_whole(api: APIClient, is_published: bool) -> None:
    drive = begin(api, CHUNK)
    backend_of(drive).write_part(drive.pk, io.BytesIO(b"x" * CHUNK), 0, CHUNK)
    Upload.objects.update(received=[[0, CHUNK]], bytes_done=CHUNK)
    if is_published:
        backend_of(drive).finish(drive.pk, LEAST)
    purge_uploads()
    drive.refresh_from_db()
    assert (drive.status, drive.size) == ("unmounted", LEAST)
    assert bytes_of(drive, CHUNK) == b"x" * CHUNK


def test_purge_goes_on_after_an_upload_that_it_cannot_publish(api: APIClient) -> None:
    lost, old = begin(api, CHUNK), begin(api, CHUNK)
    Upload.objects.filter(pk=lost.pk).update(received=[[0, CHUNK]], bytes_done=CHUNK)
    Upload.objects.filter(pk=old.pk).update(changed_at=timezone.now() - timedelta(hours=25))
    backend_of(lost).delete(lost.pk)
    retention.purge()
    statuses = dict(Drive.objects.values_list("pk", "status"))
    assert statuses == {lost.pk: "uploading", old.pk: "deleting"}


def test_upload_cannot_be_cloned_or_resized(api: APIClient) -> None:
    drive = begin(api, MIB)
    action = f"{API}/drives/{drive.pk}/action/"
    assert api.post(f"{action}?do=clone").status_code == 403
    assert api.post(f"{action}?do=resize", {"size": GIB}).status_code == 403
    assert api.get(f"{API}/drives/{drive.pk}/download/").status_code == 403


def test_chunks_cost_as_many_queries_however_many_there_are(api: APIClient) -> None:
    drive = begin(api, 4 * MIB)
    first = queries_of(lambda: send(api, drive, 1, b"x" * CHUNK, 4 * MIB))
    for number in range(3, 60, 2):
        send(api, drive, number, b"x" * CHUNK, 4 * MIB)
    assert_as_many(first, queries_of(lambda: send(api, drive, 61, b"x" * CHUNK, 4 * MIB)))
