"""`crowd`: a thousand clients that follow two hundred running clones.

On PostgreSQL and Redis, with the web server as the Procfile has it: two processes for requests.
Each clone has a worker process of its own, so all two hundred really run. They lie on twenty
storage hosts of 1 MiB/s each, as disks are what many clones wait for. The clients are TCP
connections that stay open. Phases with a crowd are between quiet ones, which are what they are
compared with: how many bytes the same clones got on by, each second.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import mean, quantiles
from typing import Any

from django.db import connection
from django.db.models import Sum

from accounts.models import User
from accounts.tokens import create_token
from benchmarks.measure import Result
from benchmarks.processes import cluster, deployed_web_server, wait_for
from benchmarks.sources import make_source
from drives.cloning import clone_drive
from jobs.models import Job

CLIENTS, JOBS, USERS = 1000, 200, 20
IMAGE = 64 * 1024**2  # bytes; more than a clone gets on by meanwhile
QUIET, CROWDED = 20, 60  # seconds
SLOWED = 0.2
Target = tuple[str, str]  # the path of a job, and its owner's token


@dataclass(frozen=True)
class Habit:
    """How clients ask: again after so many seconds, and whether only for what has changed."""

    name: str
    interval: float
    is_polite: bool = False


HABITS = (
    Habit("each 5 s", 5),
    Habit("each 5 s, If-None-Match and ?wait=4", 5, is_polite=True),
    Habit("each second", 1),
)


@dataclass
class Crowd:
    """What the clients of one phase have seen."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    broken: int = 0

    def figures(self) -> dict[str, Any]:
        cuts = quantiles(self.seconds, n=100)
        return {
            "requests_per_second": len(self.seconds) / CROWDED,
            "p50": cuts[49],
            "p99": cuts[98],
            "max": max(self.seconds),
            "statuses": dict(self.statuses),
            "broken": self.broken,
        }


def run() -> Result:
    targets = submit_clones()
    with cluster(workers=JOBS), deployed_web_server() as port:
        wait_for(lambda: Job.objects.running().count() == JOBS, seconds=180)
        phases = list(measured(port, targets))
    quiet = mean(phase["bytes_per_second"] for phase in phases if "p99" not in phase)
    crowds = [phase for phase in phases if "p99" in phase]
    for phase in crowds:
        phase["slowed"] = 1 - phase["bytes_per_second"] / quiet
        print(f"  {sentence(phase)}", flush=True)
    usual = crowds[0]
    errors = sum(errors_of(phase) for phase in crowds)
    return Result(
        name="crowd",
        ours=f"p99 {usual['p99'] * 1000:.0f} ms",
        floor=f"quiet {quiet / 1024**2:.1f} MiB/s",
        ratio=1 - usual["slowed"],
        target=f"no error, ≥ {1 - SLOWED} of the bytes/s",
        holds=errors == 0 and usual["slowed"] <= SLOWED,
        raw={"phases": phases},
    )


def sentence(phase: dict[str, Any]) -> str:
    return (
        f"{phase['name']}: {phase['requests_per_second']:.0f} requests/s, "
        f"p50 {phase['p50'] * 1000:.0f} ms, p99 {phase['p99'] * 1000:.0f} ms, "
        f"max {phase['max']:.1f} s, {errors_of(phase)} errors; "
        f"clones {phase['slowed'] * 100:.1f} % slower, "
        f"reports at most {phase['silence']:.1f} s apart"
    )


def errors_of(phase: dict[str, Any]) -> int:
    wrong = sum(n for status, n in phase["statuses"].items() if status not in {200, 304})
    return wrong + phase["broken"]


def submit_clones() -> list[Target]:
    """Let each user ask for ten clones on a storage host of their own; return their jobs."""
    targets = []
    for number in range(USERS):
        owner = User.objects.create_user(f"crowd-{number}@example.com")
        _, token = create_token(owner, "crowd")
        source = make_source(owner, extent=IMAGE)
        for _ in range(JOBS // USERS):
            clone = clone_drive(source.pk, owner, {"storage_type": f"shelf-{number}"})
            job = Job.objects.linked_to("drives", [clone.pk]).get()
            targets.append((f"/api/2.0/jobs/{job.pk}/", token))
    return targets


def measured(port: int, targets: list[Target]) -> Iterator[dict[str, Any]]:
    """Yield the figures of each phase: a quiet one, and then a crowd of each habit and quiet."""
    with watched(QUIET) as phase:
        time.sleep(QUIET)
    yield {"name": "quiet", **phase}
    for habit in HABITS:
        crowd = Crowd()
        with watched(CROWDED) as phase:
            asyncio.run(come(crowd, habit, port, targets))
        yield {"name": habit.name, **phase, **crowd.figures()}
        with watched(QUIET) as phase:
            time.sleep(QUIET)
        yield {"name": "quiet", **phase}


@contextmanager
def watched(seconds: float) -> Iterator[dict[str, Any]]:
    """Fill in how fast the clones got on meanwhile, and the longest that one was silent."""
    figures: dict[str, Any] = {}
    over = threading.Event()
    silences: list[float] = []
    watcher = threading.Thread(target=watch_silence, args=(over, silences))
    watcher.start()
    began, before = time.monotonic(), bytes_done()
    try:
        yield figures
        took, moved = time.monotonic() - began, bytes_done() - before
    finally:
        over.set()
        watcher.join()
    assert Job.objects.running().count() == JOBS
    figures |= {"seconds": took, "bytes_per_second": moved / took, "silence": max(silences)}


def bytes_done() -> int:
    return int(Job.objects.visible().aggregate(sum=Sum("bytes_done"))["sum"])


def watch_silence(over: threading.Event, silences: list[float]) -> None:
    """Note each second how long ago the worker reported that was silent longest."""
    while not over.wait(1):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT extract(epoch FROM now() - min(heartbeat_at)) FROM jobs_job "
                "WHERE lease_token IS NOT NULL"
            )
            silences.append(float(cursor.fetchone()[0]))
    connection.close()


# --- clients ----------------------------------------------------------------------------------


async def come(crowd: Crowd, habit: Habit, port: int, targets: list[Target]) -> None:
    """Let all clients ask for as long as the phase takes; five of them follow each job."""
    end = time.monotonic() + CROWDED
    clients = [
        follow(crowd, habit, port, targets[number % JOBS], habit.interval * number / CLIENTS, end)
        for number in range(CLIENTS)
    ]
    await asyncio.gather(*clients)


async def follow(
    crowd: Crowd, habit: Habit, port: int, target: Target, delay: float, end: float
) -> None:
    """Ask for a job again and again; a client whose connection breaks comes back."""
    await asyncio.sleep(delay)
    etag = ""
    link = None
    while (began := time.monotonic()) < end:
        try:
            link = link or await asyncio.open_connection("127.0.0.1", port)
            status, etag = await asked(*link, habit, target, etag)
            crowd.statuses[status] += 1
            crowd.seconds.append(time.monotonic() - began)
        except (OSError, asyncio.IncompleteReadError):
            crowd.broken += 1
            link = None
        await asyncio.sleep(max(0, min(began + habit.interval, end) - time.monotonic()))
    if link:
        link[1].close()


async def asked(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    habit: Habit,
    target: Target,
    etag: str,
) -> tuple[int, str]:
    """Send one request on a connection that stays open; return status and ETag of the answer."""
    path, token = target
    lines = [
        f"GET {path}{'?wait=4' if habit.is_polite else ''} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {token}",
        *([f"If-None-Match: {etag}"] if habit.is_polite and etag else []),
        "\r\n",
    ]
    writer.write("\r\n".join(lines).encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    await reader.readexactly(int(headers.get("content-length", 0)))
    return int(head[0].split()[1]), headers.get("etag", "").replace('w/"', 'W/"')
