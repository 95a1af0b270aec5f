"""Storage and database disagree: what is found, what is done, and what is left alone."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command

from accounts.models import User
from drives import reconciliation
from drives.actions import DriveSpec, create_drives
from drives.cloning import clone_drive
from drives.models import Drive
from drives.reconciliation import Fault
from drives.storage import get_host
from jobs.actions import cancel_job
from jobs.models import Job
from tests.factories import GIB, DriveFactory

LONG_AGO = time.time() - 3600


def leave(storage: Path, name: str, host: str = "dssd-1", at: float = LONG_AGO) -> Path:
    """Leave a file on a host, as if nobody had touched it since."""
    path = storage / host / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 4096)
    os.utime(path, (at, at))
    return path


@pytest.fixture(autouse=True)
def aged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an hour have passed for files: the time of a change of their names cannot be set."""
    real = time.time
    monkeypatch.setattr(reconciliation.time, "time", lambda: real() + 3600)


@pytest.fixture(autouse=True)
def neighbours(storage: Path, db: None) -> None:
    """Have a drive on each host that is as it should be: storage and database are of one kind."""
    for host in ("dssd-1", "dssd-2", "nvme-1"):
        DriveFactory(storage_host=host)


def found() -> list[tuple[str, UUID | None]]:
    return [(finding.fault, finding.uuid) for finding in reconciliation.find()]


def fix_all() -> list[bool]:
    return [reconciliation.fix(finding) for finding in reconciliation.find()]


def test_storage_that_agrees_has_nothing(
    owner: User, storage: Path, run_jobs: Callable[[], None]
) -> None:
    clone_drive(DriveFactory(owner=owner, image=b"data").pk, owner, {})
    create_drives(owner, [DriveSpec("new", GIB)], frozenset())
    assert found() == []
    run_jobs()
    assert found() == []


def test_image_without_a_drive_is_freed(storage: Path, db: None) -> None:
    uuid = uuid4()
    path = leave(storage, f"{uuid}.raw")
    assert found() == [(Fault.IMAGE_WITHOUT_DRIVE, uuid)]
    assert (fix_all(), path.exists(), found()) == ([True], False, [])


def test_image_of_a_drive_that_lies_elsewhere_is_only_told(storage: Path, db: None) -> None:
    """A host was renamed, or two have one folder: the image may be the drive's only one."""
    drive = DriveFactory(storage_host="dssd-2")
    path = leave(storage, f"{drive.pk}.raw")
    assert found() == [(Fault.IMAGE_ELSEWHERE, drive.pk)]
    assert (fix_all(), path.exists()) == ([False], True)


def test_storage_of_another_database_is_left_alone(storage: Path, db: None) -> None:
    paths = [leave(storage, f"{uuid4()}.raw", host="nvme-1") for _ in range(3)]
    Drive.objects.filter(storage_host="nvme-1").delete()
    assert found() == [(Fault.NOTHING_IN_COMMON, None)]
    assert fix_all() == [False]
    assert all(path.exists() for path in paths)


def test_disk_that_is_not_mounted_takes_no_drive_away(storage: Path, db: None) -> None:
    (storage / "nvme-1").rename(storage / "elsewhere")
    (storage / "nvme-1").mkdir()
    assert found() == [(Fault.NOTHING_IN_COMMON, None)]
    assert fix_all() == [False]
    assert set(Drive.objects.values_list("status", flat=True)) == {"unmounted"}


def test_storage_that_is_away_is_told(storage: Path, db: None) -> None:
    (storage / "nvme-1").rename(storage / "elsewhere")
    assert found() == [(Fault.STORAGE_AWAY, None)]
    assert fix_all() == [False]


def test_drive_whose_image_came_back_is_settled(storage: Path, db: None) -> None:
    drive = DriveFactory(status="unavailable")
    assert found() == [(Fault.UNAVAILABLE_WITH_IMAGE, drive.pk)]
    assert fix_all() == [True]
    drive.refresh_from_db()
    assert drive.status == "unmounted"


def test_partial_that_somebody_writes_is_left_alone(storage: Path, db: None) -> None:
    """An upload of zeros, or a slow one, changes its file but rarely."""
    uuid = uuid4()
    with get_host("dssd-1").backend.folder.new_partial(uuid):
        assert found() == []
    assert found() == [(Fault.PARTIAL_WITHOUT_JOB, uuid)]


def test_file_that_changed_a_moment_ago_is_left_alone(
    storage: Path, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(storage, f"{uuid4()}.partial")
    leave(storage, f"{uuid4()}.raw")
    monkeypatch.setattr(reconciliation, "LEFT_ALONE_SECONDS", 3700)
    assert found() == []


def test_files_of_others_are_left_alone(storage: Path, db: None) -> None:
    for name in ("notes.txt", ".bandwidth", "not-a-uuid.raw", f"{uuid4()}.qcow2", str(uuid4())):
        leave(storage, name)
    assert found() == []


def test_partial_without_a_job_is_freed(storage: Path, db: None) -> None:
    uuid = uuid4()
    path = leave(storage, f"{uuid}.partial")
    assert found() == [(Fault.PARTIAL_WITHOUT_JOB, uuid)]
    assert (fix_all(), path.exists()) == ([True], False)


def test_partial_of_a_running_clone_is_left_alone(owner: User, storage: Path) -> None:
    clone = clone_drive(DriveFactory(owner=owner).pk, owner, {})
    leave(storage, f"{clone.pk}.partial", clone.storage_host)
    assert found() == []


def test_partial_of_a_failed_clone_waits_for_the_retry(owner: User, storage: Path) -> None:
    clone = clone_drive(DriveFactory(owner=owner).pk, owner, {})
    leave(storage, f"{clone.pk}.partial", clone.storage_host)
    Drive.objects.filter(pk=clone.pk).update(status=Drive.Status.UNAVAILABLE)
    Drive.objects.filter(status=Drive.Status.CLONING_SRC).settle()
    Job.objects.update(state=Job.State.FAILED)
    assert found() == []
    Job.objects.all().delete()
    assert found() == [(Fault.PARTIAL_WITHOUT_JOB, clone.pk)]


def test_drive_without_an_image_becomes_unavailable(storage: Path, db: None) -> None:
    drive = DriveFactory()
    (storage / drive.storage_host / f"{drive.pk}.raw").unlink()
    assert found() == [(Fault.DRIVE_WITHOUT_IMAGE, drive.pk)]
    assert fix_all() == [True]
    drive.refresh_from_db()
    assert (drive.status, found()) == ("unavailable", [])


@pytest.mark.parametrize(
    ("status", "settled"),
    [
        ("creating", "unmounted"),
        ("cloning_src", "unmounted"),
        ("cloning_dst", "unmounted"),
        ("resizing", "unmounted"),
        ("uploading", "unmounted"),
    ],
)
def test_passing_status_without_a_job_is_settled(
    storage: Path, db: None, status: str, settled: str
) -> None:
    drive = DriveFactory(status=status)
    assert found() == [(Fault.STATUS_WITHOUT_JOB, drive.pk)]
    assert fix_all() == [True]
    drive.refresh_from_db()
    assert (drive.status, found()) == (settled, [])


def test_drive_that_was_never_made_becomes_unavailable(storage: Path, db: None) -> None:
    drive = DriveFactory(status="cloning_dst")
    (storage / drive.storage_host / f"{drive.pk}.raw").unlink()
    assert fix_all() == [True]
    drive.refresh_from_db()
    assert drive.status == "unavailable"


def test_drive_whose_host_the_settings_lost_keeps_no_other_from_being_put_right(
    storage: Path, db: None
) -> None:
    lost, other = (DriveFactory(status=Drive.Status.CREATING) for _ in range(2))
    get_host(lost.storage_host).backend.delete(lost.pk)
    Drive.objects.filter(pk=lost.pk).update(storage_host="gone")
    assert sorted(fix_all()) == [False, True]
    other.refresh_from_db()
    assert other.status == Drive.Status.UNMOUNTED


def test_deletion_without_a_job_is_done_again(
    storage: Path, db: None, run_jobs: Callable[[], None]
) -> None:
    drive = DriveFactory(status="deleting")
    assert fix_all() == [True]
    assert found() == []
    run_jobs()
    assert not Drive.objects.filter(pk=drive.pk).exists()
    assert not (storage / drive.storage_host / f"{drive.pk}.raw").exists()


def test_what_is_right_again_by_the_time_of_the_fix_is_left_alone(
    owner: User, storage: Path
) -> None:
    stuck = DriveFactory(status="creating", owner=owner)
    missing = DriveFactory(owner=owner)
    image = storage / missing.storage_host / f"{missing.pk}.raw"
    image.rename(image.with_suffix(".away"))
    orphan = uuid4()
    leave(storage, f"{orphan}.raw")
    findings = reconciliation.find()
    assert len(findings) == 3
    stuck.become("unmounted", "creating")
    image.with_suffix(".away").rename(image)
    DriveFactory(uuid=orphan, owner=owner, size=4096)
    assert [reconciliation.fix(finding) for finding in findings] == [False, False, False]


def test_cancelled_clone_leaves_nothing(owner: User, storage: Path) -> None:
    clone_drive(DriveFactory(owner=owner).pk, owner, {})
    cancel_job(Job.objects.get().pk, owner)
    assert found() == []


def test_command_only_tells_unless_it_shall_fix(
    storage: Path, db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    uuid = uuid4()
    path = leave(storage, f"{uuid}.raw")
    call_command("reconcile_storage")
    line = f"dssd-1 {uuid}: image without a drive (4096 bytes); its bytes are freed"
    assert capsys.readouterr().out == f"{line}\n1 found; --fix puts them right.\n"
    assert path.exists()
    call_command("reconcile_storage", "--fix")
    assert capsys.readouterr().out == f"{line}\n1 found, 1 put right.\n"
    assert not path.exists()
