"""The rows of the table for one database, which the environment names: `DATABASE [BENCHMARK…]`."""

import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.environment import prepared_service
from benchmarks.measure import ROW, Result, Skipped, as_json_line

ONLY_NAMED = {"crowd"}
RESULTS = Path(__file__).parent / "results" / "figures.jsonl"


def main(database: str, wanted: list[str]) -> int:
    with prepared_service(shelves=20 if "crowd" in wanted else 0):
        for name, run in benchmarks_on(database).items():
            if name not in wanted and (wanted or name in ONLY_NAMED):
                continue
            try:
                report(run(), database)
            except Skipped as reason:
                print(ROW.format(name, database, f"skipped: {reason}", *[""] * 4), flush=True)
    return 0


def benchmarks_on(database: str) -> dict[str, Callable[[], Result]]:
    """Return what is measured on a database: copies, which hardly ask it anything, on one of them
    only; and how fast clones go through the queue, also with Redis.
    """
    from benchmarks import (
        clone,
        crowd,
        extents,
        latency,
        list_all,
        list_page,
        pages,
        poll,
        purge,
        reflink,
        submit,
        tabs,
        throughput,
    )

    of_queries: dict[str, Callable[[], Result]] = {
        "poll": poll.run,
        "list-page": list_page.run,
        "list-all": list_all.run,
        "submit": submit.run,
        "pages": pages.run,
        "purge": purge.run,
    }
    of_copies: dict[str, Callable[[], Result]] = {
        "clone": clone.run,
        "clone8": clone.run_large,
        "extents": extents.run,
        "clone-reflink": reflink.run,
        "latency": latency.run_embedded,
        "throughput": throughput.run,
        "tabs": tabs.run,
    }
    with_redis: dict[str, Callable[[], Result]] = {
        "latency-redis": latency.run_redis,
        "throughput-2": throughput.run_two_clusters,
        "crowd": crowd.run,
    }
    return {
        "SQLite": of_copies | of_queries,
        "PostgreSQL": of_queries,
        "PostgreSQL + Redis": with_redis,
    }[database]


def report(result: Result, database: str) -> None:
    ratio = "" if result.ratio is None else f"{result.ratio:.2f}"
    verdict = "yes" if result.holds else "NO"
    row = (result.name, database, result.ours, result.floor, ratio, result.target, verdict)
    print(ROW.format(*row), flush=True)
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as file:
        file.write(as_json_line(result, database) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
