"""`poll`: GET of one job with HTTP Basic, against a bare Django view with the same query.

Both are served by the same granian with the same middleware; only the view and its address differ.
"""

import base64
import re
import shutil
import subprocess
from functools import partial

from accounts.models import User
from benchmarks.measure import Result, Skipped, interleaved, medians
from benchmarks.processes import web_server
from jobs.actions import JobSpec, Resource, submit
from jobs.models import Job

EMAIL, PASSWORD = "poller@example.com", "a right password"
CONNECTIONS, SECONDS = 8, 4
RATE = r"Requests/sec:\s+([\d.]+)"


def run() -> Result:
    if not shutil.which("wrk"):
        raise Skipped("wrk is not installed")
    job = make_job()
    with web_server() as address:
        figures = interleaved(
            {
                "ours": partial(requests_per_second, f"{address}/api/2.0/jobs/{job.pk}/"),
                "bare": partial(requests_per_second, f"{address}/bare/{job.pk}/"),
            }
        )
    typical = medians(figures)
    ratio = typical["ours"] / typical["bare"]
    return Result(
        name="poll",
        ours=f"{typical['ours']:.0f} requests/s",
        floor=f"bare view {typical['bare']:.0f} requests/s",
        ratio=ratio,
        target="≥ 0.7 of its requests/s",
        holds=ratio >= 0.7,
        raw={"requests_per_second": figures},
    )


def make_job() -> Job:
    """Return a job like a drive clone's, with its two resources."""
    owner = User.objects.create_user(EMAIL, PASSWORD)
    drives = tuple(Resource("drives", owner.pk, name) for name in ("source", "clone"))
    return submit(JobSpec("drive_clone", weight=1024**3, resources=drives), owner)


def requests_per_second(address: str) -> float:
    """Let wrk ask as fast as it is answered, and return its count."""
    (found,) = re.findall(RATE, asked_by_wrk(address, CONNECTIONS, SECONDS, EMAIL))
    return float(found)


def asked_by_wrk(address: str, connections: int, seconds: int, email: str) -> str:
    """Return what wrk tells after it asked for so many seconds, as this user."""
    credentials = base64.b64encode(f"{email}:{PASSWORD}".encode()).decode()
    command = ["wrk", "--latency", "-t1", f"-c{connections}", f"-d{seconds}s"]
    header = ["-H", f"Authorization: Basic {credentials}"]
    asked = subprocess.run([*command, *header, address], capture_output=True, text=True, check=True)
    assert "Non-2xx" not in asked.stdout, asked.stdout
    return asked.stdout
