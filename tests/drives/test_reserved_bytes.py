"""What is reserved on a storage host: by jobs that wait, by those that run, and by uploads."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from drives.actions import DriveSpec
from drives.cloning import clone_drive
from drives.models import Drive
from drives.placement import reserved_bytes
from drives.snapshots.actions import SnapshotSpec, create_snapshots
from drives.uploads.actions import begin_uploads
from jobs.models import Job
from tests.factories import DriveFactory
from tests.service import uses_postgresql

MIB = 1024**2


@pytest.fixture
def source(owner: User) -> Drive:
    drive: Drive = DriveFactory(owner=owner, image=b"x" * MIB)
    return drive


def test_what_waits_and_what_is_left_of_what_runs_is_reserved(owner: User, source: Drive) -> None:
    host = clone_drive(source.pk, owner, {}).storage_host
    (first,) = Job.objects.visible()
    assert first.claim("here:1")
    Job.objects.filter(pk=first.pk).update(bytes_done=MIB // 4)
    clone_drive(source.pk, owner, {})
    assert reserved_bytes() == {host: MIB * 7 // 4}


def test_snapshots_reserve_on_the_host_of_their_drive(owner: User, source: Drive) -> None:
    create_snapshots(owner, [SnapshotSpec(drive=source.pk)])
    assert reserved_bytes() == {source.storage_host: MIB}


def test_uploads_reserve_what_is_still_to_be_sent(owner: User) -> None:
    (drive,) = begin_uploads(owner, [DriveSpec("image", 3 * MIB)], frozenset())
    assert reserved_bytes() == {drive.storage_host: 3 * MIB}


def test_jobs_of_before_there_were_lanes_reserve_too(owner: User, source: Drive) -> None:
    create_snapshots(owner, [SnapshotSpec(drive=source.pk)])
    Job.objects.update(lane="")
    import_module("drives.migrations.0006_lanes").put_on_lanes(apps, None)
    assert reserved_bytes() == {source.storage_host: MIB}


@pytest.mark.skipif(uses_postgresql(), reason="looks at a plan of SQLite")
def test_neither_drives_nor_jobs_are_read_one_by_one(owner: User) -> None:
    with CaptureQueriesContext(connection) as asked:
        reserved_bytes()
    (plan,) = [plan_of(query["sql"]) for query in asked]
    assert "USING COVERING INDEX job_waiting" in plan
    assert "USING INDEX job_leased" in plan
    assert "SCAN drives_drive" not in plan


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        return str(cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall())
