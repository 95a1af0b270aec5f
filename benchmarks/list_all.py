"""`list-all`: all of a user's hundred thousand jobs in one answer, against raw SQL and orjson.

Both are views of the same process, and are read by the same client; the floor holds all rows in
memory. What ours takes beyond the memory that the process has anyway is looked up in /proc.
"""

from functools import partial
from pathlib import Path

import httpx

from benchmarks.filled import PASSWORD, READER, database_with
from benchmarks.measure import Result, interleaved, medians, memory, seconds
from benchmarks.processes import web_process
from benchmarks.sources import MIB

JOBS, MOST_MIB = 100_000, 100


def run() -> Result:
    with (
        database_with(JOBS, 1) as env,
        web_process(**env) as (address, process),
        httpx.Client(base_url=address, auth=(READER, PASSWORD), timeout=600) as client,
    ):
        client.headers["Accept-Encoding"] = "identity"
        owner = client.get("/api/2.0/profile/").json()["uuid"]
        all_jobs = partial(read, client, "/api/2.0/jobs/?limit=0")
        peak = extra_memory(process, all_jobs)
        figures = interleaved(
            {
                "ours": partial(seconds, all_jobs),
                "raw": partial(seconds, partial(read, client, f"/bare/jobs/{owner}/")),
            }
        )
    typical = medians(figures)
    ratio = typical["ours"] / typical["raw"]
    return Result(
        name="list-all",
        ours=f"{typical['ours']:.2f} s, +{peak / MIB:.0f} MiB",
        floor=f"raw SQL, orjson {typical['raw']:.2f} s",
        ratio=ratio,
        target=f"≤ 4 × its time, < {MOST_MIB} MiB more",
        holds=ratio <= 4 and peak < MOST_MIB * MIB,
        raw={"seconds": figures, "jobs": JOBS, "peak_bytes_above_idle": peak},
    )


def read(client: httpx.Client, path: str) -> None:
    """Read an answer to its end."""
    with client.stream("GET", path) as answer:
        assert answer.status_code == 200
        assert sum(len(part) for part in answer.iter_raw()) > 100 * JOBS


def extra_memory(process: int, act: partial[None]) -> int:
    """Return the bytes of memory that a process takes for something, beyond those it has."""
    Path(f"/proc/{process}/clear_refs").write_text("5")  # forget the peak so far, see proc(5)
    idle = memory("VmRSS", process)
    act()
    return memory("VmHWM", process) - idle
