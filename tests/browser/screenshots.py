"""`python -m tests.browser.screenshots`: renews the pictures of the README.

With a folder behind it: every page, light and dark, on a wide and on a small screen, into there.
"""

import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from pathlib import Path

import httpx
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import ARGUMENTS, EXECUTABLE
from tests.browser.world import World, clone_server, make_world, pages_of
from tests.service import EMAIL, PASSWORD, running_service

MIB = 1024**2
SETTINGS = "tests.browser.settings"
README = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
SHOWN = {
    ("light", "wide"): ("job-running", "overview"),
    ("dark", "wide"): ("job-running", "overview"),
    ("light", "small"): ("jobs",),
    ("dark", "small"): ("job-running",),
}
WIDTHS, HEIGHTS = {"wide": 1440, "small": 360}, {"wide": 900, "small": 740}
SCHEMES = ("light", "dark")


def main(arguments: list[str]) -> None:
    everything = Path(arguments[0]) if arguments else None
    with (
        tempfile.TemporaryDirectory(
            prefix="cloudjobs-pictures-", ignore_cleanup_errors=True
        ) as home,
        running_service(
            Path(home), "master", with_pages=True, DJANGO_SETTINGS_MODULE=SETTINGS
        ) as site,
        site.client() as api,
        sync_playwright() as playwright,
    ):
        world = make_world(site, api, data=140 * MIB)
        chromium = playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        for scheme, size in product(SCHEMES, WIDTHS):
            fresh = start_again(api, world)
            names = list(pages_of(fresh)) if everything else SHOWN[scheme, size]
            take(chromium, site.url, fresh, names, scheme, size, everything or README)
            api.post(f"/jobs/{fresh.running}/action/?do=cancel")


def start_again(api: httpx.Client, world: World) -> World:
    """Return the world with a job that has just begun."""
    api.post(f"/jobs/{world.running}/action/?do=cancel")
    time.sleep(2)
    fresh = replace(world, running=clone_server(api, world.server, "web-3"))
    time.sleep(4)
    return fresh


def take(
    browser: Browser,
    url: str,
    world: World,
    names: Iterable[str],
    scheme: str,
    size: str,
    folder: Path,
) -> None:
    """Take the pictures of these pages."""
    folder.mkdir(parents=True, exist_ok=True)
    screen = {"width": WIDTHS[size], "height": HEIGHTS[size]}
    context = browser.new_context(
        base_url=url, color_scheme=scheme, viewport=screen, locale="en-GB"
    )
    page = context.new_page()
    page.goto("/login/")
    page.screenshot(path=folder / f"login-{scheme}-{size}.png") if folder != README else None
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("/")
    for name in names:
        page.goto(pages_of(world)[name])
        page.wait_for_timeout(300)
        page.screenshot(path=folder / f"{name}-{scheme}-{size}.png", full_page=folder != README)
    context.close()


if __name__ == "__main__":
    main(sys.argv[1:])
