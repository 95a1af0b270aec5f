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
                print(f"{name:<15} {database:<10} skipped: {reason}", flush=True)
    return 0


def benchmarks_on(database: str) -> dict[str, Callable[[], Result]]:
    """Return what is measured on a database: what hardly asks it anything, on one of them only."""
    from benchmarks import (
        clone,
        crowd,
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

    on_each: dict[str, Callable[[], Result]] = {
        "poll": poll.run,
        "list-page": list_page.run,
        "list-all": list_all.run,
        "submit": submit.run,
        "pages": pages.run,
        "purge": purge.run,
    }
    on_one: dict[str, Callable[[], Result]] = {
        "clone": clone.run,
        "clone8": clone.run_large,
        "clone-reflink": reflink.run,
        "latency": latency.run_embedded,
        "latency-redis": latency.run_redis,
        "throughput": throughput.run,
        "tabs": tabs.run,
    }
    return on_one | on_each if database == "SQLite" else on_each | {"crowd": crowd.run}


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
