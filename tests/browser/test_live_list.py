"""The list of jobs while things happen: nothing jumps, nothing is lost, nobody is disturbed."""

import os
import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OTHER, Visit, requests_of
from tests.service import Service
from tests.worker.drives import clone, finished, upload

pytestmark = pytest.mark.browser
MIB = 1024**2


@pytest.fixture(scope="module")
def slow(api: httpx.Client) -> str:
    """A drive that takes some seconds to be cloned to slow storage."""
    return upload(api, os.urandom(160 * MIB), "dssd")


@pytest.fixture(scope="module")
def quick(api: httpx.Client) -> str:
    return upload(api, os.urandom(MIB), "dssd")


def job_of(drive: dict[str, list[dict[str, str]]]) -> str:
    return drive["jobs"][0]["uuid"]


def clone_slowly(api: httpx.Client, source: str, name: str) -> str:
    """Return the job of a clone that takes 16 seconds."""
    return job_of(clone(api, source, name=name, storage_type="zadara"))


def is_polling(page: Page) -> bool:
    return page.locator("#live[data-interval]").count() == 1


def hide(page: Page, hidden: bool) -> int:
    """Hide or show a tab, and return how often it asks in the same moment."""
    return page.evaluate(
        """hidden => {
            let asked = 0;
            document.addEventListener("htmx:beforeRequest", () => asked++);
            Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
            return asked;
        }""",
        hidden,
    )


def test_bar_moves_in_the_list_and_the_row_stays(
    visit: Visit, api: httpx.Client, slow: str
) -> None:
    job = clone_slowly(api, slow, "moving")
    page = visit("/jobs/")
    row = page.locator(f"#job-{job}")
    expect(row.locator("progress")).to_have_attribute("value", re.compile(r"^[1-9]\d$"))
    expect(page).to_have_title(re.compile(r"^▶ \d"))
    expect(row).to_contain_text("Succeeded", timeout=60_000)
    expect(page.locator("#announcement")).to_contain_text("Clone drive")


def test_cancel_from_the_list_stays_in_the_list(visit: Visit, api: httpx.Client, slow: str) -> None:
    job = clone_slowly(api, slow, "unwanted")
    page = visit("/jobs/?state=started")
    page.evaluate("window.stayed = true")
    page.locator(f"#job-{job}").get_by_role("link", name="Cancel").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("unwanted")
    expect(dialog).to_contain_text("stops within a second or two")
    dialog.get_by_role("button", name="Cancel the job").click()
    expect(page.locator(f"#job-{job}")).to_contain_text("Cancelled")
    expect(dialog).to_be_hidden()
    assert page.evaluate("window.stayed")
    assert finished(api, job)["state"] == "cancelled"


def test_cancel_from_the_page_by_a_key(visit: Visit, api: httpx.Client, slow: str) -> None:
    job = clone_slowly(api, slow, "unwanted")
    page = visit(f"/jobs/{job}/")
    page.keyboard.press("c")
    page.get_by_role("dialog").get_by_role("button", name="Cancel the job").click()
    expect(page.locator("#job-head")).to_contain_text("Cancelled")
    expect(page.locator("#messages")).to_contain_text("Cancelled: Clone drive")


def test_several_are_cancelled_at_once(visit: Visit, api: httpx.Client, slow: str) -> None:
    jobs = [clone_slowly(api, slow, f"many-{n}") for n in range(3)]
    page = visit("/jobs/?text=many-")
    for job in jobs[:2]:
        page.locator(f"#pick-{job}").check()
    expect(page.locator("[data-picked]")).to_have_text("2 selected")
    page.get_by_role("button", name="Cancel selected").click()
    page.get_by_role("button", name="Cancel 2 jobs").click()
    for job in jobs[:2]:
        expect(page.locator(f"#job-{job}")).to_contain_text("Cancelled")
    expect(page).to_have_url(re.compile(r"/jobs/\?text=many-$"))
    api.post(f"/jobs/{jobs[2]}/action/?do=cancel")


def test_new_job_is_a_line_and_the_filters_survive(
    visit: Visit, api: httpx.Client, slow: str, quick: str
) -> None:
    first = clone_slowly(api, slow, "golden-1")
    page = visit("/jobs/")
    page.get_by_label("Name or UUID").fill("golden")
    page.get_by_role("button", name="Filter").click()
    expect(page).to_have_url(re.compile(r"text=golden"))
    before = page.locator("tbody[id^=job-]").count()
    page.get_by_label("Name or UUID").fill("half a wo")
    job_of(clone(api, quick, name="golden-2"))
    expect(page.locator("#new-jobs")).to_contain_text("1 new")
    assert page.locator("tbody[id^=job-]").count() == before
    expect(page.get_by_label("Name or UUID")).to_have_value("half a wo")
    page.locator("#new-jobs a").click()
    expect(page.locator("tbody[id^=job-]")).to_have_count(before + 1)
    page.reload()
    expect(page.get_by_label("Name or UUID")).to_have_value("golden")
    api.post(f"/jobs/{first}/action/?do=cancel")


def test_focus_and_selection_stay_while_rows_are_swapped(
    visit: Visit, api: httpx.Client, slow: str
) -> None:
    job = clone_slowly(api, slow, "held")
    page = visit("/jobs/")
    page.locator(f"#pick-{job}").check()
    page.locator(f"#open-{job}").focus()
    bar = page.locator(f"#figures-{job}-progress progress")
    expect(bar).to_have_attribute("value", re.compile(r"^[1-9]\d$"))
    assert page.evaluate("document.activeElement.id") == f"open-{job}"
    assert page.locator(f"#pick-{job}").is_checked()
    api.post(f"/jobs/{job}/action/?do=cancel")


def test_tree_opens_in_its_place(visit: Visit, api: httpx.Client, quick: str) -> None:
    mounts = [{"drive": quick, "device": "virtio", "dev_channel": "0:0"}]
    body = {"name": "treed", "cpu": 1000, "mem": 512 * MIB, "vnc_password": "x", "drives": mounts}
    server = api.post("/servers/", json=body).json()["objects"][0]["uuid"]
    api.post(f"/servers/{server}/action/?do=clone", json={"name": "treed-2"})
    page = visit("/jobs/?text=treed")
    page.evaluate("window.stayed = true")
    page.get_by_role("link", name="Show the parts of").click()
    expect(page.locator(".job-below")).to_have_count(1)
    page.get_by_role("link", name="Hide the parts of").click()
    expect(page.locator(".job-below")).to_have_count(0)
    assert page.evaluate("window.stayed")
    api.delete(f"/servers/{server}/")


def test_hidden_tab_never_asks_and_a_shown_one_does_at_once(
    visit: Visit, api: httpx.Client, slow: str
) -> None:
    job = clone_slowly(api, slow, "unseen")
    page = visit(f"/jobs/{job}/")
    assert is_polling(page)
    hide(page, hidden=True)
    page.wait_for_timeout(500)
    with requests_of(page) as asked:
        page.wait_for_timeout(4000)
    assert asked == []
    with page.expect_request(lambda request: "?v=" in request.url):
        assert hide(page, hidden=False) == 1
    api.post(f"/jobs/{job}/action/?do=cancel")


def test_list_without_running_jobs_rests(visit: Visit, site: Service) -> None:
    page = visit("/jobs/?operation=nothing", OTHER)
    expect(page.locator("#live")).to_have_attribute("data-interval", "30")
    with requests_of(page) as asked:
        page.wait_for_timeout(5000)
    assert asked == []


def test_two_users_see_only_their_own(visit: Visit, api: httpx.Client, quick: str) -> None:
    drive = clone(api, quick, name="private")
    page = visit("/jobs/", OTHER)
    expect(page.get_by_text("No jobs yet")).to_be_visible()
    for path in ("/", "/drives/", "/servers/"):
        page.goto(path)
        assert "private" not in page.content()
    context = page.context.request
    for path in (f"/jobs/{job_of(drive)}/", f"/drives/{drive['uuid']}/"):
        assert context.get(path).status == 404


def test_keys_search_move_open_and_help(visit: Visit, api: httpx.Client, quick: str) -> None:
    jobs = [job_of(clone(api, quick, name=f"key-{n}")) for n in range(2)]
    for job in jobs:
        finished(api, job)
    page = visit("/jobs/?text=key-")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "text"
    page.keyboard.press("Escape")
    for key, job in (("j", jobs[1]), ("j", jobs[0]), ("k", jobs[1])):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.id") == f"open-{job}"
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/jobs/{jobs[1]}/"))
