"""Every page: it keeps nobody out, fits the screen, has no error, and needs no script."""

import os

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import OTHER, Visit, log_in
from tests.browser.world import World, make_world, pages_of
from tests.service import Service
from tests.worker.drives import upload

pytestmark = pytest.mark.browser
NAMES = list(pages_of(World("", "", "", "", "")))
MIB = 1024**2
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def pages(site: Service, api: httpx.Client) -> dict[str, str]:
    return pages_of(make_world(site, api))


def assert_for_everybody(page: Page) -> None:
    """Fail with what axe finds; the page is looked at as it is."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def assert_fits(page: Page) -> None:
    excess = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert excess <= 0, f"{excess} pixels too wide"


@pytest.mark.parametrize("name", NAMES)
def test_page_is_for_everybody_on_any_screen(
    visit: Visit, pages: dict[str, str], name: str
) -> None:
    page = visit(pages[name], color_scheme="light")
    assert_for_everybody(page)
    page.emulate_media(color_scheme="dark")
    assert_for_everybody(page)
    page.set_viewport_size(PHONE)
    assert_fits(page)
    assert_for_everybody(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_login_dialog_and_newcomers_pages_are_for_everybody(
    visit: Visit, pages: dict[str, str], browser: Browser, site: Service, scheme: str
) -> None:
    login = browser.new_context(base_url=site.url, color_scheme=scheme).new_page()
    login.goto("/login/")
    assert_for_everybody(login)
    page = visit("/", OTHER, color_scheme=scheme)
    assert_for_everybody(page)
    page.keyboard.press("?")
    assert_for_everybody(page)
    dialog = visit(pages["job-failed"], color_scheme=scheme)
    dialog.get_by_role("link", name="Retry").click()
    expect(dialog.get_by_role("dialog")).to_be_visible()
    assert_for_everybody(dialog)


@pytest.mark.parametrize("name", NAMES)
def test_page_opens_without_javascript(visit: Visit, pages: dict[str, str], name: str) -> None:
    page = visit(pages[name], java_script_enabled=False)
    expect(page.locator("h1")).to_be_visible()


@pytest.mark.parametrize("path", ["/admin/", "/admin/jobs/job/"])
def test_policy_lets_the_foreign_pages_work(visit: Visit, pages: dict[str, str], path: str) -> None:
    expect(visit(path).locator("h1").first).to_be_visible()


def test_person_acts_without_javascript(visit: Visit, api: httpx.Client) -> None:
    source = upload(api, os.urandom(160 * MIB), "dssd")
    page = visit("/drives/create/", java_script_enabled=False)
    page.get_by_label("Name").fill("plain")
    page.get_by_label("Size").fill("1 GiB")
    page.get_by_role("button", name="Make the drive").click()
    expect(page.get_by_role("heading", name="plain")).to_be_visible()
    page.goto(f"/drives/{source}/")
    page.get_by_role("link", name="Clone", exact=True).click()
    page.get_by_label("Name").fill("plain-copy")
    page.get_by_label("Storage type").select_option("zadara")
    page.get_by_role("button", name="Clone the drive").click()
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Cancel the job").click()
    expect(page.locator("#job-head")).to_contain_text("Cancelled")
    page.get_by_role("link", name="Retry").click()
    page.get_by_role("button", name="Retry the job").click()
    expect(page.locator("#messages")).to_contain_text("Waiting again")
    api.post(f"/jobs/{page.url.split('/')[-2]}/action/?do=cancel")


def test_documentation_is_drawn_from_the_document(
    visit: Visit, pages: dict[str, str], site: Service, browser: Browser
) -> None:
    page = visit("/api/docs/", color_scheme="dark")
    expect(page.get_by_role("link", name="snapshots", exact=True)).to_be_visible()
    page.set_viewport_size(PHONE)
    assert_fits(page)
    page.locator("#operations-tag-jobs").click()
    page.locator(".opblock-post .opblock-summary-control").first.click()
    expect(page.get_by_role("heading", name="Responses")).to_be_visible()
    assert_fits(page)
    stranger = browser.new_context(base_url=site.url, java_script_enabled=False).new_page()
    stranger.goto("/api/docs/")
    expect(stranger.get_by_role("link", name="OpenAPI, as YAML")).to_be_visible()


def test_person_asks_the_api_without_javascript(visit: Visit, pages: dict[str, str]) -> None:
    page = visit("/api/2.0/tags/", java_script_enabled=False)
    page.get_by_label("Body, as JSON").fill('{"name": "by hand"}')
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("201 Created")).to_be_visible()
    page.locator("pre").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="by hand")).to_be_visible()
    page.get_by_text("Delete", exact=True).first.click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("There is nothing in the answer.")).to_be_visible()


def test_person_filters_opens_and_selects_without_javascript(
    visit: Visit, pages: dict[str, str]
) -> None:
    page = visit("/jobs/", java_script_enabled=False)
    page.get_by_label("Name or UUID").fill("web-2")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name="Show the parts of").first.click()
    expect(page.locator(".job-below").first).to_be_visible()
    page.goto("/jobs/?state=failed")
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Retry selected").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Retry")


def test_image_is_uploaded_without_javascript(visit: Visit) -> None:
    page = visit("/drives/upload/", java_script_enabled=False)
    image = {"name": "plain.raw", "mimeType": "application/octet-stream", "buffer": b"x" * 100_000}
    page.get_by_label("Raw disk image").set_input_files(image)
    page.get_by_label("Name").fill("plain-upload")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="plain-upload")).to_be_visible()


def test_person_logs_in_and_out(site: Service, browser: Browser) -> None:
    page = browser.new_context(base_url=site.url).new_page()
    log_in(page)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
