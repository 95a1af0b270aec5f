"""A service with pages, and a Chromium that looks at it and complains of every error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.chromium import ARGUMENTS, EXECUTABLE
from tests.service import EMAIL, PASSWORD, Service, running_service

OTHER = "other@example.com"
SETTINGS = "tests.browser.settings"
Visit = Callable[..., Page]

expect.set_options(timeout=30_000)  # a machine that is busy draws late


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Service]:
    """A service that all browser tests of a process share."""
    home = tmp_path_factory.mktemp("site")
    with running_service(
        home, worker_id, with_pages=True, DJANGO_SETTINGS_MODULE=SETTINGS
    ) as running:
        running.add_user(OTHER)
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium; not kept longer than a module, as Django's tests mind its event loop."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def api(site: Service) -> Iterator[httpx.Client]:
    with site.client() as client:
        yield client


@pytest.fixture(scope="module")
def sessions(site: Service, browser: Browser) -> dict[str, Any]:
    """The cookies of the users, who log in once."""
    cookies = {}
    for email in (EMAIL, OTHER):
        context = browser.new_context(base_url=site.url)
        log_in(context.new_page(), email)
        cookies[email] = context.storage_state()
        context.close()
    return cookies


@pytest.fixture
def visit(site: Service, browser: Browser, sessions: dict[str, Any]) -> Iterator[Visit]:
    """Return what opens a tab for a user who has logged in; errors in its console fail the test."""
    errors: list[str] = []

    def open_tab(path: str, email: str = EMAIL, **options: Any) -> Page:
        state = sessions[email]
        context = browser.new_context(base_url=site.url, storage_state=state, **options)
        page = context.new_page()
        page.on("console", lambda message: note(errors, message.type, message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path)
        return page

    yield open_tab
    for context in browser.contexts:
        context.close()
    assert errors == []


def note(errors: list[str], kind: str, text: str) -> None:
    if kind in {"error", "warning"}:
        errors.append(text)


def log_in(page: Page, email: str = EMAIL) -> None:
    page.goto("/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("/")


@contextmanager
def requests_of(page: Page) -> Iterator[list[str]]:
    """Collect the addresses that a page asks for meanwhile."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    yield asked
