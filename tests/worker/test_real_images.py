"""Images that people really have: a bootable CD, and a file system with files in it."""

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.service import Service
from tests.worker.drives import clone

pytestmark = pytest.mark.worker
MIB = 1024**2
RESCUE_CD = Path("/usr/lib/grub-rescue/grub-rescue-cdrom.iso")  # Debian's grub-rescue-pc
LEAST_SIZE = 512 * MIB


@pytest.fixture(scope="module")
def api(service: Service) -> Iterator[httpx.Client]:
    with service.client() as client:
        yield client


@pytest.fixture
def ext4_image(tmp_path: Path) -> Path:
    """A file system of 1 GiB with 450 MiB of files."""
    if not shutil.which("mkfs.ext4"):
        pytest.skip("mkfs.ext4 is not installed")
    files = tmp_path / "files"
    files.mkdir()
    for number in range(9):
        (files / f"file-{number}").write_bytes(os.urandom(50 * MIB))
    image = tmp_path / "disk.ext4"
    subprocess.run(["mkfs.ext4", "-q", "-d", files, image, "1G"], check=True)
    return image


def upload(api: httpx.Client, image: Path, **options: str) -> str:
    """Stream a file into a new drive and return its uuid."""
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Length": str(image.stat().st_size),
    }
    with image.open("rb") as file:
        blocks = iter(lambda: file.read(MIB), b"")
        answer = api.post("/drives/upload/", params=options, content=blocks, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.text


def download(api: httpx.Client, uuid: str, target: Path) -> Path:
    """Stream a drive's image into a file."""
    with api.stream("GET", f"/drives/{uuid}/download/") as answer, target.open("wb") as file:
        for block in answer.iter_raw():
            file.write(block)
    return target


def watched(api: httpx.Client, job: str) -> list[int]:
    """Return the percents that the job shows until it succeeds."""
    seen = []
    while (answer := api.get(f"/jobs/{job}/").json())["state"] == "started":
        seen.append(answer["data"]["progress"])
        time.sleep(0.1)
    assert answer["state"] == "success"
    return [*seen, answer["data"]["progress"]]


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def grown(image: Path) -> Path:
    """Give a file the least size of a drive, as its upload does."""
    if image.stat().st_size < LEAST_SIZE:
        os.truncate(image, LEAST_SIZE)
    return image


@pytest.mark.skipif(not RESCUE_CD.exists(), reason="grub-rescue-pc is not installed")
def test_clone_of_a_bootable_cd_is_downloaded_as_it_was(api: httpx.Client, tmp_path: Path) -> None:
    source = upload(api, RESCUE_CD, media="cdrom", storage_type="zadara")
    new = clone(api, source)
    assert watched(api, new["jobs"][0]["uuid"])[-1] == 100
    expected = grown(shutil.copy(RESCUE_CD, tmp_path / "expected"))
    assert sha256(download(api, new["uuid"], tmp_path / "copy")) == sha256(expected)
    assert new["media"] == "cdrom"


def test_cloned_file_system_is_sound(api: httpx.Client, ext4_image: Path, tmp_path: Path) -> None:
    source = upload(api, ext4_image, storage_type="zadara")
    new = clone(api, source)
    seen = watched(api, new["jobs"][0]["uuid"])
    assert seen == sorted(seen)
    assert len({percent for percent in seen if percent < 100}) >= 3
    copy = download(api, new["uuid"], tmp_path / "copy")
    assert sha256(copy) == sha256(ext4_image)
    subprocess.run(["e2fsck", "-fn", copy], check=True)
    statuses = {api.get(f"/drives/{uuid}/").json()["status"] for uuid in (source, new["uuid"])}
    assert statuses == {"unmounted"}
