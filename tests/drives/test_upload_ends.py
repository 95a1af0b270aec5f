"""How uploads in chunks end: published, deleted, given up."""

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from drives import reconciliation
from drives.models import Drive, Upload
from drives.operations import backend_of
from drives.uploads.actions import find_upload, finish_upload, purge_uploads
from jobs import retention
from tests.chunks import (
    CHUNK,
    ask,
    begin,
    bytes_of,
    send,
)
from tests.factories import GIB, MIB
from tests.wire import API, assert_as_many, queries_of

LEAST = 512 * MIB


def partial_of(drive: Drive, storage: Path) -> Path:
    return storage / drive.storage_host / f"{drive.pk}.partial"


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
