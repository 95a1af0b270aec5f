"""How images come into the library: by a command, and in the admin."""

import io
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse

from accounts.models import User
from drives.library import actions
from drives.models import Drive, LibraryEntry
from tests.conftest import Unchanged
from tests.factories import MIB, DriveFactory, LibraryEntryFactory

UPLOAD = "admin:drives_library_upload"


@pytest.fixture
def operator(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("operator@example.com", "secret"))
    return client


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "image.raw"
    path.write_bytes(os.urandom(MIB + 7))
    return path


def add(image: Path, *options: str) -> str:
    out = io.StringIO()
    call_command("add_library_image", str(image), *options, stdout=out)
    return out.getvalue()


def stored(storage: Path, drive: Drive, length: int) -> bytes:
    with (storage / drive.storage_host / f"{drive.pk}.raw").open("rb") as file:
        return file.read(length)


@pytest.mark.django_db
def test_command_adds_an_image(image: Path, storage: Path) -> None:
    described = ["--category", "general", "--category", "web", "--os", "linux", "--arch", "64"]
    told = add(image, "--name", "Debian", "--os-version", "12", *described)
    entry = LibraryEntry.objects.select_related("drive").get()
    assert told == f"{entry.pk} Debian\n"
    assert (entry.category, entry.os, entry.version) == (["general", "web"], "linux", "12")
    assert (entry.drive.owner, entry.drive.status, entry.drive.media) == (None, "unmounted", "disk")
    assert stored(storage, entry.drive, MIB + 7) == image.read_bytes()


@pytest.mark.django_db
def test_command_takes_media_and_storage_type(image: Path, storage: Path) -> None:
    add(image, "--name", "CD", "--media", "cdrom", "--storage-type", "nvme")
    drive = Drive.objects.get()
    assert (drive.media, drive.storage_type, drive.storage_host) == ("cdrom", "nvme", "nvme-1")


@pytest.mark.parametrize(
    "options",
    [
        ["--name", "x", "--storage-type", "tape"],
        ["--name", "x" * 256],
        ["--name", "x", "--url", "no address"],
        ["--name", "x", "--arch", "x" * 17],
    ],
)
def test_command_adds_nothing_of_what_cannot_be(
    image: Path, unchanged: Unchanged, options: list[str]
) -> None:
    with unchanged(), pytest.raises(CommandError, match="Nothing was added"):
        add(image, *options)


def test_command_wants_a_file_with_bytes(tmp_path: Path, unchanged: Unchanged) -> None:
    (tmp_path / "empty").touch()
    for name in ("empty", "missing"):
        with unchanged(), pytest.raises(CommandError, match="Nothing was added"):
            add(tmp_path / name, "--name", "x")


def test_bytes_go_again_if_the_row_cannot_be_written(
    image: Path, unchanged: Unchanged, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**fields: Any) -> None:
        raise DatabaseError("it is away")

    monkeypatch.setattr(actions.LibraryEntry.objects, "create", fail)
    with unchanged(), pytest.raises(DatabaseError):
        add(image, "--name", "x")


def form(image: Path, **differing: Any) -> dict[str, Any]:
    file = SimpleUploadedFile("image.raw", image.read_bytes())
    given = {"name": "Debian", "media": "disk", "storage_type": "dssd", "os": "linux"}
    return given | {"image": file, "category": "general, web", "image_type": "preinst"} | differing


def test_admin_uploads_an_image(operator: Client, image: Path, storage: Path) -> None:
    assert operator.get(reverse(UPLOAD)).status_code == 200
    answer = operator.post(reverse(UPLOAD), form(image), follow=True)
    assert "In the library: Debian." in answer.content.decode()
    entry = LibraryEntry.objects.select_related("drive").get()
    assert (entry.category, entry.drive.owner) == (["general", "web"], None)
    assert stored(storage, entry.drive, MIB + 7) == image.read_bytes()


def test_admin_tells_what_is_wrong(operator: Client, image: Path, unchanged: Unchanged) -> None:
    with unchanged():
        answer = operator.post(reverse(UPLOAD), form(image, url="no address"))
    assert "Enter a valid URL." in answer.content.decode()


def test_upload_takes_the_right_to_change_entries(owner: User, image: Path) -> None:
    owner.is_staff = True
    owner.save()
    client = Client()
    client.force_login(owner)
    assert client.post(reverse(UPLOAD), form(image)).status_code == 403


def test_admin_changes_what_is_told(operator: Client, storage: Path) -> None:
    entry = LibraryEntryFactory()
    address = reverse("admin:drives_libraryentry_change", args=[entry.pk])
    assert "general" in operator.get(address).content.decode()
    told = {"os": "bsd", "category": "a, b", "image_type": "install", "arch": "32"}
    assert operator.post(address, told).status_code == 302
    entry.refresh_from_db()
    assert (entry.os, entry.category, entry.arch) == ("bsd", ["a", "b"], "32")


def act(operator: Client, model: str, action: str, row: Any) -> str:
    body = {"action": action, "_selected_action": [str(row.pk)]}
    answer = operator.post(reverse(f"admin:drives_{model}_changelist"), body, follow=True)
    return answer.content.decode()


def test_admin_moves_a_drive_into_the_library(operator: Client, storage: Path) -> None:
    drive = DriveFactory(name="golden")
    assert "In the library: golden." in act(operator, "drive", "move_to_library", drive)
    assert "Not moved: golden." in act(operator, "drive", "move_to_library", drive)
    assert LibraryEntry.objects.get().pk == drive.pk


def test_admin_deletes_from_the_library(operator: Client, storage: Path) -> None:
    entry = LibraryEntryFactory(drive__name="golden")
    assert "Deleting golden." in act(operator, "libraryentry", "delete_drives", entry)
    assert Drive.objects.get().status == "deleting"
    assert "golden" in act(operator, "libraryentry", "delete_selected", entry)
    assert LibraryEntry.objects.exists()


def test_admin_clones_for_the_operator(operator: Client, storage: Path) -> None:
    entry = LibraryEntryFactory(drive__name="golden")
    assert "Cloning golden as golden." in act(operator, "drive", "clone", entry)
    assert str(Drive.objects.exclude(owner=None).get().owner) == "operator@example.com"
