"""What a page does when its reader is logged out, the server is away, or a swap could shift it."""

import os
import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Visit, log_in
from tests.service import Service, eventually
from tests.worker.drives import clone, upload

pytestmark = pytest.mark.browser
MIB = 1024**2
MOVING = re.compile(r"^[1-9]\d$")
SHIFTS = """() => {
    window.shifts = [];
    new PerformanceObserver(list => window.shifts.push(...list.getEntries().map(e => e.value)))
        .observe({ type: "layout-shift" });
}"""


@pytest.fixture(scope="module")
def source(api: httpx.Client) -> str:
    return upload(api, os.urandom(160 * MIB), "dssd")


@pytest.fixture
def job(api: httpx.Client, source: str) -> Iterator[str]:
    """A job that takes 16 seconds."""
    uuid = clone(api, source, name="moving", storage_type="zadara")["jobs"][0]["uuid"]
    yield uuid
    api.post(f"/jobs/{uuid}/action/?do=cancel")


@pytest.fixture
def tab(site: Service, browser: Browser) -> Iterator[Page]:
    """A tab whose console may complain."""
    context = browser.new_context(base_url=site.url)
    page = context.new_page()
    log_in(page)
    yield page
    context.close()


@pytest.mark.parametrize(("path", "changes"), [("/", 1), ("/jobs/", 1), ("/jobs/{}/", 3)])
def test_nothing_shifts_while_bars_move(visit: Visit, job: str, path: str, changes: int) -> None:
    page = visit(path.format(job))
    page.evaluate(SHIFTS)
    bar = page.locator("#job-progress progress, .jobs progress").first
    for _ in range(changes):
        now = bar.get_attribute("value")
        expect(bar).not_to_have_attribute("value", str(now))
    assert sum(page.evaluate("window.shifts")) < 0.005  # the log gets a line


def test_page_of_someone_who_is_logged_out_asks_for_the_login(tab: Page, job: str) -> None:
    tab.goto(f"/jobs/{job}/")
    tab.context.clear_cookies()
    expect(tab).to_have_url(re.compile(r"/login/\?next=/jobs/"))


def test_page_tells_that_the_server_does_not_answer_and_goes_on(tab: Page, job: str) -> None:
    tab.goto(f"/jobs/{job}/")
    tab.context.set_offline(True)
    expect(tab.locator("#offline")).to_be_visible()
    tab.context.set_offline(False)
    expect(tab.locator("#offline")).to_be_hidden()


def test_page_of_a_drive_that_is_gone_says_so(tab: Page, api: httpx.Client) -> None:
    drive = upload(api, os.urandom(MIB), "dssd")
    copy = clone(api, drive, name="short-lived")["uuid"]
    tab.goto(f"/drives/{copy}/")
    tab.get_by_role("link", name="Drives").first.click()
    row = tab.locator(f"#drive-{copy}")
    expect(row).to_contain_text("Unmounted")
    api.delete(f"/drives/{copy}/")
    eventually(lambda: api.get(f"/drives/{copy}/").status_code == 404)
    tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # as if shown again
    expect(row).to_have_count(0)
