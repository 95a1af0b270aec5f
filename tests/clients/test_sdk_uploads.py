"""The two ways in which CloudSigma's SDK for Python sends an image in chunks."""

import os
from pathlib import Path
from typing import Any

import pytest
from cloudsigma import resumable_upload
from cloudsigma.resource import Drive, InitUpload

from tests.clients.conftest import Login, first_bytes
from tests.service import Service

CHUNK = 64 * 1024
THREADS = 4


@pytest.fixture
def said(login: Login) -> dict[str, str]:
    return {"api_endpoint": login.api, "username": login.email, "password": login.password}


def upload_of(path: Path, said: dict[str, str], **options: Any) -> resumable_upload.Upload:
    options |= {"chunk_size": CHUNK, "n_threads": THREADS, "progress_report_interval": 0.05}
    return resumable_upload.Upload(str(path), generic_client_kwargs=said, **options)


@pytest.mark.filterwarnings("ignore:setDaemon", "ignore:datetime.datetime.utcnow")
def test_image_goes_in_by_four_threads_and_an_upload_goes_on(
    cloud: Service,
    login: Login,
    said: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # On Python 3 the SDK sends the repr of the bytes; docs/clients.md has this repair, too.
    as_it_is = lambda value: value if isinstance(value, bytes) else str(value)  # noqa: E731
    monkeypatch.setattr(resumable_upload, "str", as_it_is, raising=False)
    data = os.urandom(20 * CHUNK + 777)
    path = tmp_path / "disk.img"
    path.write_bytes(data)
    begun = upload_of(path, said, drive_name="mine")
    begun.drive_uuid = begun.create(begun.create_data)["uuid"]
    for number in (3, 1):
        begun.upload_chunk(number, (number - 1) * CHUNK, CHUNK)
    told: list[tuple[int, int]] = []
    resumed = upload_of(
        path, said, drive_uuid=begun.drive_uuid, progress_callback=lambda *args: told.append(args)
    )
    resumed.upload()
    assert told[-1] == (len(data), len(data))
    drive = Drive(**said).get(begun.drive_uuid)
    assert (drive["name"], drive["status"]) == ("mine", "unmounted")
    assert first_bytes(cloud, login, drive["uuid"], len(data)) == data


def test_chunk_that_the_sdk_garbles_is_refused(said: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "disk.img"
    path.write_bytes(os.urandom(CHUNK))
    upload = upload_of(path, said)
    upload.drive_uuid = upload.create(upload.create_data)["uuid"]
    with pytest.raises(Exception, match=f"(?s)Wrong status 400.*{CHUNK} bytes, not more"):
        upload.upload_chunk(1, 0, CHUNK)
    assert Drive(**said).get(upload.drive_uuid)["status"] == "uploading"


def test_text_goes_in_by_links_to_its_chunks(
    cloud: Service, login: Login, said: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "seed.img"
    path.write_text("#cloud-config\n" * 15_000)
    drives = Drive(**said)
    begun = InitUpload(**said).create({"media": "cdrom"}, image_path=str(path))
    assert begun["status"] == "uploading"
    for number in reversed(range(path.stat().st_size // CHUNK)):
        link = drives.get_upload_chunk_link(begun["uuid"], number, CHUNK)
        assert drives.upload_chunk(link, str(path), number, CHUNK).status_code == 200
    drive = drives.get(begun["uuid"])
    assert (drive["name"], drive["media"], drive["status"]) == ("seed.img", "cdrom", "unmounted")
    data = path.read_bytes()
    assert first_bytes(cloud, login, drive["uuid"], len(data)) == data
