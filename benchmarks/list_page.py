"""`list-page`: a page of 20 jobs where a thousand users have a million, against the same page where
one user has a thousand. In both, whoever asks has a thousand.
"""

import re
import shutil
from functools import partial

from benchmarks.filled import READER, database_with
from benchmarks.measure import Result, Skipped, interleaved, medians
from benchmarks.poll import asked_by_wrk
from benchmarks.processes import web_server

MANY, FEW, OWNERS, SECONDS = 1_000_000, 1_000, 1_000, 3
MEDIAN = r"50%\s+([\d.]+)(us|ms|s)\b"
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


def run() -> Result:
    if not shutil.which("wrk"):
        raise Skipped("wrk is not installed")
    with (
        database_with(MANY, OWNERS) as many,
        database_with(FEW, 1) as few,
        web_server(**many) as large,
        web_server(**few) as small,
    ):
        pages = {"ours": partial(seconds_of_page, large), "few": partial(seconds_of_page, small)}
        figures = interleaved(pages)
    typical = medians(figures)
    ratio = typical["ours"] / typical["few"]
    return Result(
        name="list-page",
        ours=f"{typical['ours'] * 1000:.2f} ms with {MANY:,}",
        floor=f"{typical['few'] * 1000:.2f} ms with {FEW:,} jobs",
        ratio=ratio,
        target="≤ 1.5 × its median time",
        holds=ratio <= 1.5,
        raw={"seconds": figures, "jobs": MANY},
    )


def seconds_of_page(address: str) -> float:
    """Return the median time of a page, asked for by one client again and again."""
    told = asked_by_wrk(f"{address}/api/2.0/jobs/?limit=20", 1, SECONDS, READER)
    ((number, unit),) = re.findall(MEDIAN, told)
    return float(number) * UNITS[unit]
