"""`make bench`: measures on each database, prints a table of ratios, and appends the raw figures to
results/figures.jsonl.

Name benchmarks to run only those: `python -m benchmarks poll`. `crowd` runs only when it is named:
it takes six minutes, and two hundred workers.
"""

import os
import subprocess
import sys

from benchmarks.databases import DATABASES
from benchmarks.measure import HEADINGS, ROW, Skipped


def main(wanted: list[str]) -> int:
    print(ROW.format(*HEADINGS), ROW.format(*["---"] * len(HEADINGS)), sep="\n", flush=True)
    bare = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    failed = 0
    for name, started in DATABASES.items():
        try:
            with started() as address:
                rows = [sys.executable, "-m", "benchmarks.rows", name, *wanted]
                failed |= subprocess.run(rows, env=bare | address, check=False).returncode
        except Skipped as reason:
            print(ROW.format("", name, f"skipped: {reason}", *[""] * 4), flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
