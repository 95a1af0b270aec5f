"""`make bench`: measures, prints a table and appends the raw figures to results/figures.jsonl.

Name benchmarks to run only those: `python -m benchmarks poll`.
"""

import sys
from pathlib import Path

from benchmarks.environment import prepared_service
from benchmarks.measure import Result, Skipped, as_json_line

RESULTS = Path(__file__).parent / "results" / "figures.jsonl"
ROW = "{:<15} {:>16} {:>26} {:>7}  {:<34} {}"


def main(wanted: list[str]) -> int:
    with prepared_service():
        from benchmarks import clone, latency, pages, poll, purge, reflink, tabs, throughput

        benchmarks = {
            "clone": clone.run,
            "clone-reflink": reflink.run,
            "poll": poll.run,
            "latency": latency.run_embedded,
            "latency-redis": latency.run_redis,
            "throughput": throughput.run,
            "pages": pages.run,
            "tabs": tabs.run,
            "purge": purge.run,
        }
        print(ROW.format("benchmark", "ours", "floor", "ratio", "target", "holds"))
        for name in wanted or list(benchmarks):
            try:
                result = benchmarks[name]()
            except Skipped as reason:
                print(f"{name:<15} skipped: {reason}")
            else:
                report(result)
    return 0


def report(result: Result) -> None:
    ratio = "" if result.ratio is None else f"{result.ratio:.2f}"
    verdict = "yes" if result.holds else "NO"
    print(
        ROW.format(result.name, result.ours, result.floor, ratio, result.target, verdict),
        flush=True,
    )
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as file:
        file.write(as_json_line(result) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
