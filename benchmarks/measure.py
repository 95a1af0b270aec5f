"""How everything here is measured: against a floor in the same run, interleaved, by medians."""

import json
import os
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

ROUNDS = 7
HEADINGS = ("benchmark", "database", "ours", "floor", "ratio", "target", "holds")
ROW = "| {:<13} | {:<18} | {:>26} | {:>27} | {:>6} | {:<34} | {:<5} |"  # as docs/performance.md


@dataclass
class Result:
    """One line of the table. `ratio` is ours to the floor, as `target` (a sentence) means it."""

    name: str
    ours: str
    floor: str
    ratio: float | None
    target: str
    holds: bool
    raw: dict[str, Any] = field(default_factory=dict)


class Skipped(Exception):
    """This machine cannot measure it; the message says why."""


def seconds(action: Callable[[], object]) -> float:
    """Return how long a call takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def interleaved(
    contestants: dict[str, Callable[[], float]],
    rounds: int = ROUNDS,
    before_each: Callable[[], object] = lambda: None,
) -> dict[str, list[float]]:
    """Return each contestant's figures; every round has all of them, in an order drawn anew.

    In a fixed order each would pay for what the one before it left to the machine.
    """
    figures: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name in random.sample(list(contestants), len(contestants)):
            before_each()
            figures[name].append(contestants[name]())
    return figures


def quiet_disk() -> None:
    """Wait until the disk has nothing left to do from earlier."""
    os.sync()
    time.sleep(2)


def memory(name: str, process: int | str = "self") -> int:
    """Return one of a process's memory figures in bytes, e.g. `VmRSS`; see proc(5)."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(f"{name}:")]
    return int(line.split()[1]) * 1024


def medians(figures: dict[str, list[float]]) -> dict[str, float]:
    return {name: median(values) for name, values in figures.items()}


def as_json_line(result: Result, database: str) -> str:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return json.dumps({"at": at, "database": database, **asdict(result)})
