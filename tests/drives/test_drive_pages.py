"""The pages of drives."""

import re
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from cloudjobs.pages.live import CALM
from drives.models import Drive
from drives.operations import backend_of
from jobs.models import Job
from servers.models import Server
from tests.factories import GIB, DriveFactory, MountFactory, ServerFactory
from tests.html import body_of, interval_of, poll, poll_address, swapped_in, text_of
from tests.wire import assert_as_many, queries_of

pytestmark = pytest.mark.usefixtures("storage")
NEW = {"name": "fresh", "size": "2 GiB", "media": "disk", "storage_type": "nvme"}


@pytest.fixture
def drive(storage: Path, owner: User) -> Drive:
    return DriveFactory(owner=owner, name="golden")


def page(drive: Drive, action: str = "") -> str:
    return f"/drives/{drive.pk}/{action}"


def test_list_tells_name_status_size_and_storage(web: Client, drive: Drive) -> None:
    text = text_of(body_of(web.get("/drives/")))
    assert "golden Unmounted 1 GiB dssd dssd-1" in text


def test_list_names_the_server_that_has_the_drive(web: Client, owner: User) -> None:
    MountFactory(server=ServerFactory(owner=owner, name="web-1"))
    assert "web-1" in text_of(body_of(web.get("/drives/")))


def test_list_is_searched_by_name(web: Client, owner: User, drive: Drive) -> None:
    DriveFactory(owner=owner, name="other")
    text = text_of(body_of(web.get("/drives/?text=GOLD")))
    assert "golden" in text
    assert "other" not in text


def test_list_shows_a_page_at_a_time(
    web: Client, owner: User, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudjobs.pages.lists.PAGE", 1)
    DriveFactory(owner=owner, name="newest")
    assert "golden" not in text_of(body_of(web.get("/drives/")))
    assert "golden" in text_of(body_of(web.get("/drives/?page=2")))


@pytest.mark.parametrize("query", ["?page=0", "?page=x", "?page=999999999", "?text=%00"])
def test_list_takes_any_address(web: Client, drive: Drive, query: str) -> None:
    assert web.get(f"/drives/{query}").status_code == 200


def test_nothing_of_a_stranger_is_shown(stranger_web: Client, drive: Drive) -> None:
    assert "golden" not in body_of(stranger_web.get("/drives/"))
    for action in ("", "clone/", "delete/"):
        assert stranger_web.get(page(drive, action)).status_code == 404
    for action in ("clone/", "delete/"):
        assert stranger_web.post(page(drive, action)).status_code == 404
    assert Drive.objects.count() == 1


def test_poll_swaps_the_row_that_changed(web: Client, owner: User, drive: Drive) -> None:
    DriveFactory(owner=owner)
    html = body_of(web.get("/drives/"))
    assert interval_of(html) == 30
    Drive.objects.filter(pk=drive.pk).update(status="resizing")
    answer = body_of(poll(web, html))
    assert swapped_in(answer) == {f"drive-{drive.pk}"}
    assert interval_of(answer) == 2


def test_poll_takes_away_the_row_of_a_drive_that_is_gone(web: Client, drive: Drive) -> None:
    html = body_of(web.get("/drives/"))
    row = f'id="drive-{drive.pk}" hx-swap-oob="delete"'
    drive.delete()
    html = body_of(poll(web, html))
    assert row in html
    assert poll(web, html).status_code == 204


def test_list_costs_as_many_queries_for_two_as_for_twenty(web: Client, owner: User) -> None:
    def add(count: int) -> None:
        for _ in range(count):
            MountFactory(server=ServerFactory(owner=owner))

    add(2)
    few = queries_of(lambda: web.get("/drives/"))
    add(18)
    assert_as_many(few, queries_of(lambda: web.get("/drives/")))


def test_drive_that_rests_is_not_polled(web: Client, drive: Drive) -> None:
    html = body_of(web.get(page(drive)))
    assert poll_address(html) == ""
    assert f"/api/2.0/drives/{drive.pk}/download/" in html


def test_empty_drive_is_made(web: Client, owner: User) -> None:
    response = web.post("/drives/create/", NEW)
    made = Drive.objects.get(owner=owner)
    assert response["Location"] == page(made)
    assert (made.name, made.size, made.storage_host) == ("fresh", 2 * GIB, "nvme-1")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"name": ""}, "This field is required."),
        ({"size": "much"}, "A size is a number and a unit"),
        ({"size": "1 MiB"}, "The size of a drive on nvme is between 512 MiB and"),
        ({"storage_type": "tape"}, "Select a valid choice"),
    ],
)
def test_drive_that_cannot_be_is_refused_at_its_field(
    web: Client, changes: dict[str, str], fault: str
) -> None:
    html = body_of(web.post("/drives/create/", NEW | changes))
    assert fault in text_of(html)
    assert "aria-invalid" in html
    assert not Drive.objects.exists()


def test_image_is_uploaded_by_a_plain_form(web: Client, owner: User) -> None:
    image = SimpleUploadedFile("disk.raw", b"boot" * 5000)
    given = {"image": image, "name": "mine", "media": "cdrom", "storage_type": "dssd"}
    response = web.post("/drives/upload/", given)
    made = Drive.objects.get(owner=owner)
    assert response["Location"] == page(made)
    assert (made.name, made.media, made.status) == ("mine", "cdrom", "unmounted")
    with backend_of(made).open(made.pk) as file:
        assert file.read(8) == b"bootboot"


def test_upload_of_nothing_is_refused(web: Client) -> None:
    image = SimpleUploadedFile("disk.raw", b"")
    given = {"image": image, "name": "mine", "media": "disk", "storage_type": "dssd"}
    assert "The submitted file is empty." in text_of(body_of(web.post("/drives/upload/", given)))


def test_clone_leads_to_its_job(web: Client, owner: User, drive: Drive) -> None:
    response = web.post(page(drive, "clone/"), {"name": "copy", "storage_type": "nvme"})
    job = Job.objects.get(operation="drive_clone")
    assert response["Location"] == f"/jobs/{job.pk}/"
    assert Drive.objects.filter(name="copy", storage_host="nvme-1", owner=owner).exists()
    assert "Cloning golden as copy." in text_of(body_of(web.get(response["Location"])))


def test_clone_keeps_away_from_chosen_drives(web: Client, drive: Drive) -> None:
    web.post(page(drive, "clone/"), {"name": "far", "avoid": [str(drive.pk)]})
    assert Drive.objects.get(name="far").storage_host == "dssd-2"


def test_clone_keeps_away_from_own_drives_only(web: Client, drive: Drive) -> None:
    foreign = DriveFactory()
    html = body_of(web.post(page(drive, "clone/"), {"avoid": [str(foreign.pk)]}))
    assert "not one of the available choices" in html
    assert foreign.name not in html


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"size": "512 MiB"}, "A clone is not smaller than its source, 1 GiB."),
        ({"avoid": "x"}, "is not a valid"),
    ],
)
def test_clone_that_cannot_be_is_refused(
    web: Client, drive: Drive, given: dict[str, str], fault: str
) -> None:
    assert fault in text_of(body_of(web.post(page(drive, "clone/"), given)))
    assert Drive.objects.count() == 1


def test_drive_shows_the_jobs_that_worked_on_it(
    web: Client, drive: Drive, run_jobs: Callable[[], None]
) -> None:
    web.post(page(drive, "clone/"), {"name": "copy"})
    html = body_of(web.get(page(drive)))
    assert "Clone drive golden → copy" in text_of(html)
    assert poll_address(html)
    run_jobs()
    answer = body_of(poll(web, html))
    assert poll_address(answer) == ""
    assert "Succeeded" in text_of(answer)


@pytest.mark.parametrize("status", ["starting", "running", "stopping"])
def test_drive_of_a_server_at_work_is_not_to_be_cloned_or_deleted(
    web: Client, owner: User, status: str
) -> None:
    server = ServerFactory(owner=owner, name="web-1", status=status)
    path = page(MountFactory(server=server).drive)
    html = body_of(web.get(path))
    assert "Used by web-1. It can be cloned and deleted once no running server uses it." in text_of(
        html
    )
    assert interval_of(html) == CALM
    assert not {f"{path}clone/", f"{path}delete/"} & set(re.findall(r'href="([^"]+)', html))
    Server.objects.update(status="stopped")
    html = body_of(web.get(path))
    assert {f"{path}clone/", f"{path}delete/"} <= set(re.findall(r'href="([^"]+)', html))
    assert "Used by" not in html
    assert interval_of(html) == 0


def test_broken_drive_of_servers_at_work_is_to_be_deleted_later(web: Client, owner: User) -> None:
    cd = DriveFactory(owner=owner, media="cdrom", status="unavailable")
    for name in ("web-1", "web-2"):
        MountFactory(server=ServerFactory(owner=owner, name=name, status="running"), drive=cd)
    text = text_of(body_of(web.get(page(cd))))
    assert "Used by web-1, web-2. It can be deleted once no running server uses it." in text


def test_drive_that_could_not_be_deleted_tells_why(
    web: Client, drive: Drive, storage: Path, run_jobs: Callable[[], None]
) -> None:
    image = storage / drive.storage_host / f"{drive.pk}.raw"
    image.unlink()
    image.mkdir()
    web.post(page(drive, "delete/"))
    run_jobs()
    text = text_of(body_of(web.get(page(drive))))
    assert f"could not be made or removed. {Job.objects.get().error}" in text


def test_drive_of_which_nobody_knows_why_it_is_unavailable_has_a_page(
    web: Client, drive: Drive
) -> None:
    Drive.objects.update(status="unavailable")
    text = text_of(body_of(web.get(page(drive))))
    assert "Its image is missing, or could not be made or removed." in text


def test_failure_of_what_was_made_of_a_drive_is_no_reason_for_it_to_be_unavailable(
    web: Client, drive: Drive, storage: Path, run_jobs: Callable[[], None]
) -> None:
    web.post(page(drive, "clone/"), {"name": "its clone", "storage_type": "nvme"})
    (storage / drive.storage_host / f"{drive.pk}.raw").unlink()
    run_jobs()
    clone = Drive.objects.exclude(pk=drive.pk).get()
    Drive.objects.update(status="unavailable")
    failure = Job.objects.get().error
    assert failure in text_of(body_of(web.get(page(clone))))
    told = text_of(body_of(web.get(page(drive))))
    assert "Its image is missing, or could not be made or removed." in told


def test_question_before_deletion_names_what_goes(web: Client, owner: User) -> None:
    mount = MountFactory(server=ServerFactory(owner=owner, name="web-1"))
    text = text_of(body_of(web.get(page(mount.drive, "delete/"))))
    assert "1 GiB on dssd-1 are gone for good." in text
    assert "The server web-1 loses it" in text


def test_drive_is_deleted(web: Client, drive: Drive, run_jobs: Callable[[], None]) -> None:
    assert web.post(page(drive, "delete/"))["Location"] == "/drives/"
    run_jobs()
    assert web.get(page(drive)).status_code == 404


def test_refused_deletion_is_told(web: Client, drive: Drive) -> None:
    Drive.objects.filter(pk=drive.pk).update(status="resizing")
    response = web.post(page(drive, "delete/"), follow=True)
    assert "delete it when that is done" in text_of(body_of(response))


def test_unknown_drive_is_not_found(web: Client) -> None:
    assert web.get(f"/drives/{uuid4()}/").status_code == 404
