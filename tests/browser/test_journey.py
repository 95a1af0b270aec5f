"""What a person does: bring an image, clone it, watch the job, and see it end."""

import os
import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, requests_of
from tests.service import Service, eventually, stop_tree
from tests.worker.drives import clone, finished, upload

pytestmark = pytest.mark.browser
MIB = 1024**2


def percent(page: Page) -> int:
    return int(page.locator("#job-progress progress").get_attribute("value") or 0)


def server_of(api: httpx.Client, *disks: str, name: str) -> str:
    """Make a server with these disks and return its uuid."""
    mounts = [
        {"drive": disk, "device": "virtio", "dev_channel": f"0:{place}"}
        for place, disk in enumerate(disks)
    ]
    body = {"name": name, "cpu": 1000, "mem": 512 * MIB, "vnc_password": "x", "drives": mounts}
    return api.post("/servers/", json=body).json()["objects"][0]["uuid"]


def test_image_is_uploaded_cloned_and_watched_without_a_reload(
    visit: Visit, tmp_path: Path
) -> None:
    image = tmp_path / "golden.raw"
    image.write_bytes(os.urandom(60 * MIB))
    page = visit("/drives/upload/")
    page.get_by_label("Raw disk image").set_input_files(image)
    expect(page.get_by_label("Name")).to_have_value("golden")
    page.get_by_label("Storage type").select_option("zadara")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="golden")).to_be_visible(timeout=30_000)

    page.get_by_role("link", name="Clone", exact=True).click()
    page.get_by_label("Name").fill("golden-copy")
    page.get_by_role("button", name="Clone the drive").click()
    expect(page.get_by_role("heading", name="Clone drive golden to golden-copy")).to_be_visible()
    page.evaluate("window.stayed = true")
    seen = watch(page)
    assert seen == sorted(seen)
    assert len(set(seen)) >= 3
    expect(page.locator("#job-head")).to_contain_text("Succeeded")
    assert page.evaluate("window.stayed")

    with requests_of(page) as asked:
        page.wait_for_timeout(5000)
    assert asked == []


def watch(page: Page) -> list[int]:
    """Return the percents that the page shows until the job has ended."""
    seen = []
    for _ in range(200):
        seen.append(percent(page))
        if page.locator("#job-head[data-state=Succeeded]").count():
            return [*seen, percent(page)]
        page.wait_for_timeout(200)
    raise AssertionError(f"the job does not end: {seen}")


def test_upload_shows_how_far_it_is_and_can_be_stopped(visit: Visit, tmp_path: Path) -> None:
    image = tmp_path / "large.raw"
    with image.open("wb") as file:
        file.truncate(3 * 1024 * MIB)
    page = visit("/drives/upload/")
    page.get_by_label("Raw disk image").set_input_files(image)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_label("Uploaded")).to_be_visible()
    expect(page.locator("[data-moved]")).to_contain_text("of 3.0 GiB")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("alert")).to_contain_text("was stopped")


def test_server_clone_shows_its_tree_with_moving_bars(visit: Visit, api: httpx.Client) -> None:
    disks = [upload(api, os.urandom(30 * MIB), "zadara") for _ in range(2)]
    page = visit(f"/servers/{server_of(api, *disks, name='web-1')}/clone/")
    page.get_by_label("Name").fill("web-2")
    page.get_by_role("button", name="Clone the server").click()
    bars = page.locator(".jobs-tree progress")
    expect(bars).to_have_count(2)
    expect(page.locator(".lane")).to_have_count(3)  # two disks and the axis
    for place in range(2):
        expect(bars.nth(place)).to_have_attribute("value", re.compile(r"^[1-9]\d?$"))
    expect(page.locator("#job-head")).to_contain_text("Succeeded")
    expect(bars.nth(1)).to_have_attribute("value", "100")


def test_failing_job_shows_its_reason(visit: Visit, api: httpx.Client, site: Service) -> None:
    source = upload(api, os.urandom(MIB), "dssd")
    assert site.cluster
    stop_tree(site.cluster)
    job = clone(api, source, name="doomed")["jobs"][0]["uuid"]
    page = visit(f"/jobs/{job}/")
    expect(page.locator("#job-progress")).to_contain_text("in the queue")
    (image,) = site.home.glob(f"images/*/{source}.raw")
    image.unlink()
    site.start_cluster()
    expect(page.locator("#job-failure")).to_contain_text("image", timeout=90_000)
    expect(page.get_by_role("link", name="Retry")).to_be_visible()
    assert finished(api, job)["state"] == "failed"
    page.goto("/")
    expect(page.locator("#failed")).to_contain_text("doomed")


def test_download_gives_the_image_back(visit: Visit, api: httpx.Client) -> None:
    data = os.urandom(MIB)
    source = upload(api, data, "dssd")
    page = visit(f"/drives/{source}/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    path = download.value.path()
    with path.open("rb") as file:
        assert file.read(MIB) == data


def test_server_is_started_and_stopped(visit: Visit, api: httpx.Client) -> None:
    page = visit(f"/servers/{server_of(api, name='switch')}/")
    for link, button, status in (
        ("Start", "Start the server", "Running"),
        ("Stop", "Stop the server", "Stopped"),
    ):
        page.get_by_role("link", name=link, exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name=button).click()
        expect(page.locator("#server-head .state")).to_have_text(status)


def test_server_is_deleted_with_its_disks(visit: Visit, api: httpx.Client) -> None:
    disk = upload(api, os.urandom(MIB), "dssd")
    page = visit(f"/servers/{server_of(api, disk, name='gone')}/")
    page.get_by_role("link", name="Delete").click()
    page.get_by_label("Delete its disks, keep the CDs").check()
    page.get_by_role("button", name="Delete the server").click()
    expect(page.locator("#messages")).to_contain_text("gone was deleted.")
    eventually(lambda: api.get(f"/drives/{disk}/").status_code == 404)
