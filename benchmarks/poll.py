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
        target="≥ 0.5 of its requests/s",
        holds=ratio >= 0.5,
        raw={"requests_per_second": figures},
    )


def make_job() -> Job:
    """Return a job like a drive clone's, with its two resources."""
    owner = User.objects.create_user(EMAIL, PASSWORD)
    drives = tuple(Resource("drives", owner.pk, name) for name in ("source", "clone"))
    return submit(JobSpec("drive_clone", weight=1024**3, resources=drives), owner)


def requests_per_second(address: str) -> float:
    """Let wrk ask as fast as it is answered, and return its count."""
    credentials = base64.b64encode(f"{EMAIL}:{PASSWORD}".encode()).decode()
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s"]
    header = ["-H", f"Authorization: Basic {credentials}"]
    printed = subprocess.run(
        [*command, *header, address],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "Non-2xx" not in printed, printed
    (found,) = re.findall(r"Requests/sec:\s+([\d.]+)", printed)
    return float(found)
