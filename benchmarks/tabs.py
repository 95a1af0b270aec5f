"""`tabs`: what ten tabs cost the web server that all show fifty running jobs."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape

import httpx
import psutil
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client

from accounts.models import User
from benchmarks.measure import Result
from benchmarks.processes import web_server
from jobs.actions import JobSpec, submit
from jobs.models import Job

JOBS, TABS, SECONDS = 50, 10, 30
WEIGHT = 1024**3
BOUND = 0.2  # of a core
LIVE = re.compile(r'data-interval="(\d+)" hx-get="([^"]+)"')


def run() -> Result:
    owner = User.objects.create_user("tabs@example.com")
    cookie = session_of(owner)
    with running_jobs(owner), web_server() as address:
        share, polls = watched(address, cookie)
    return Result(
        name="tabs",
        ours=f"{share * 100:.0f} % of a core",
        floor=f"{polls / SECONDS:.1f} polls/s",
        ratio=None,
        target=f"< {BOUND * 100:.0f} % for {TABS} tabs, {JOBS} jobs",
        holds=share < BOUND,
        raw={"share": share, "polls": polls, "seconds": SECONDS},
    )


def session_of(owner: User) -> str:
    """Return the cookie of a browser that has logged in."""
    client = Client()
    client.force_login(owner)
    return client.cookies["sessionid"].value


@contextmanager
def running_jobs(owner: User) -> Iterator[None]:
    """Let the owner have jobs that a worker has, all of which get on every second."""
    for _ in range(JOBS):
        assert submit(JobSpec("drive_clone", weight=WEIGHT), owner).claim("bench:1")
    mine = Job.objects.unfinished().filter(owner=owner)
    over = threading.Event()

    def work() -> None:
        while not over.wait(1):
            mine.update(bytes_done=F("bytes_done") + WEIGHT // 200, heartbeat_at=Now())
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    yield
    over.set()
    worker.join()


def watched(address: str, cookie: str) -> tuple[float, int]:
    """Return the share of a core that the server takes for the tabs, and how often they asked."""
    counts = [0] * TABS
    tabs = [
        threading.Thread(target=watch, args=(address, cookie, counts, place))
        for place in range(TABS)
    ]
    server = next(p for p in psutil.Process().children() if "granian" in " ".join(p.cmdline()))
    family = [server, *server.children(recursive=True)]
    before = cpu_seconds(family)
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    return (cpu_seconds(family) - before) / SECONDS, sum(counts)


def cpu_seconds(family: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in family]
    return sum(time.user + time.system for time in times)


def watch(address: str, cookie: str, counts: list[int], place: int) -> None:
    """Open the list and poll as its script does."""
    end = time.monotonic() + SECONDS
    with httpx.Client(base_url=address, cookies={"sessionid": cookie}, timeout=30) as client:
        html = client.get("/jobs/").text
        while True:
            interval, url = LIVE.search(" ".join(html.split())).groups()  # type: ignore[union-attr]
            if time.monotonic() + int(interval) > end:
                return
            time.sleep(int(interval))
            answer = client.get(unescape(url), headers={"HX-Request": "true"})
            assert answer.status_code in {200, 204}
            html = answer.text or html
            counts[place] += 1
