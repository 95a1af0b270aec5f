"""Symbolic links in a storage folder: nothing is read or written through one, wherever it leads.

The folder itself may be one, as it is when images lie on a disk of their own.
"""

import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives import reconciliation
from drives.models import Drive
from drives.storage import get_host
from drives.storage.backend import CopyMethod
from drives.storage.errors import ImageMissing
from drives.storage.file import FileBackend
from tests.factories import MIB, DriveFactory
from tests.wire import API, faults_of

SECRET = os.urandom(MIB)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file that is none of the service's business."""
    path = tmp_path / "outside"
    path.write_bytes(SECRET)
    return path


@pytest.fixture
def drive(owner: User, storage: Path, outside: Path) -> Drive:
    """A drive whose image somebody has put a link in the place of."""
    made: Drive = DriveFactory(owner=owner, size=MIB, image=b"x" * MIB)
    image = storage / made.storage_host / f"{made.pk}.raw"
    image.unlink()
    image.symlink_to(outside)
    return made


def ignore(done: int, cursor: int, method: CopyMethod) -> None:
    """A report that nobody reads."""


def backend_of(drive: Drive) -> FileBackend:
    backend = get_host(drive.storage_host).backend
    assert isinstance(backend, FileBackend)
    return backend


def test_download_of_a_link_is_refused(api: APIClient, drive: Drive) -> None:
    response = api.get(f"{API}/drives/{drive.pk}/download/")
    assert response.status_code == 503
    assert faults_of(response)[0][0] == "backend"


@pytest.mark.parametrize("method", ["open", "size", "allocated", "changed_at"])
def test_link_is_no_image(drive: Drive, method: str) -> None:
    backend = backend_of(drive)
    assert not backend.exists(drive.pk)
    with pytest.raises(ImageMissing):
        getattr(backend, method)(drive.pk)


def test_link_is_not_grown(drive: Drive, outside: Path) -> None:
    with pytest.raises(ImageMissing):
        backend_of(drive).grow(drive.pk, 2 * MIB)
    assert outside.read_bytes() == SECRET


def test_clone_of_a_link_fails_and_copies_nothing(
    api: APIClient, drive: Drive, storage: Path, run_jobs: Callable[[], None]
) -> None:
    answer = api.post(f"{API}/drives/{drive.pk}/action/?do=clone", {})
    assert answer.status_code in {202, 503}
    run_jobs()
    files = [path for path in storage.rglob("*") if path.is_file() and not path.is_symlink()]
    assert not any(SECRET[:64] in path.read_bytes() for path in files)
    assert {job["state"] for job in api.get(f"{API}/jobs/").json()["objects"]} <= {"failed"}


def test_partial_that_is_a_link_is_replaced_not_written_to(drive: Drive, outside: Path) -> None:
    backend, image = backend_of(drive), UUID(int=7)
    (backend.folder.ready() / f"{image}.partial").symlink_to(outside)
    backend.write(image, BytesIO(b"y" * MIB), MIB, MIB)
    assert outside.read_bytes() == SECRET
    with backend.open(image) as file:
        assert file.read() == b"y" * MIB


def test_copy_does_not_go_on_in_a_link(owner: User, drive: Drive, outside: Path) -> None:
    source = DriveFactory(owner=owner, size=MIB, image=b"z" * MIB, storage_host=drive.storage_host)
    backend, image = backend_of(drive), UUID(int=8)
    (backend.folder.ready() / f"{image}.partial").symlink_to(outside)
    backend.clone(image, backend, source.pk, MIB, cursor=1, report=ignore)
    assert outside.read_bytes() == SECRET
    with backend.open(image) as file:
        assert file.read() == b"z" * MIB


def test_chunk_does_not_go_into_a_link(drive: Drive, outside: Path) -> None:
    backend, image = backend_of(drive), UUID(int=9)
    (backend.folder.ready() / f"{image}.partial").symlink_to(outside)
    with pytest.raises(ImageMissing):
        backend.write_part(image, BytesIO(b"y" * MIB), 0, MIB)
    assert not backend.is_being_written(image)
    assert outside.read_bytes() == SECRET


def test_deletion_takes_the_link_and_not_what_it_leads_to(drive: Drive, outside: Path) -> None:
    backend_of(drive).delete(drive.pk)
    assert outside.read_bytes() == SECRET
    assert not os.path.lexists(backend_of(drive).folder.ready() / f"{drive.pk}.raw")


def test_link_is_neither_listed_nor_kept_as_an_image(owner: User, drive: Drive) -> None:
    DriveFactory(owner=owner, storage_host=drive.storage_host, image=b"x")
    assert drive.pk not in {each.uuid for each in backend_of(drive).listing()}
    assert drive.pk in {finding.uuid for finding in reconciliation.find()}


def test_folder_may_be_a_link(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    (tmp_path / "images").symlink_to(disk)
    backend = FileBackend(tmp_path / "images")
    image = UUID(int=1)
    backend.write(image, BytesIO(b"y" * MIB), MIB, MIB)
    assert (disk / f"{image}.raw").stat().st_size == MIB
