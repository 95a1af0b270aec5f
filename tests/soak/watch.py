"""Whether memory and descriptors of the processes stay as they are."""

import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from statistics import median
from threading import Event, Thread

import psutil

from tests.soak.fleet import Fleet
from tests.worker.insight import cluster_processes

MIB = 1024**2
GROWTH, ROOM = 1.10, 8  # times, and MiB on top: what a process may grow by
MORE_DESCRIPTORS = 5


@dataclass(frozen=True)
class Sample:
    """The means of all processes of one kind at one time."""

    at: float
    memory: float  # MiB; shared pages are divided among those who share them (PSS)
    descriptors: float


class Watch(Thread):
    """Looks at all processes every `pause` seconds, until it is over."""

    def __init__(self, fleet: Fleet, pause: float) -> None:
        super().__init__(name="watch")
        self.fleet, self.pause = fleet, pause
        self.over = Event()
        self.samples: dict[str, list[Sample]] = defaultdict(list)

    def run(self) -> None:
        while not self.over.wait(self.pause):
            for kind, processes in self.processes():
                if sample := sampled(processes):
                    self.samples[kind].append(sample)

    def processes(self) -> Iterable[tuple[str, list[psutil.Process]]]:
        with suppress(psutil.Error):
            yield "web workers", self.fleet.web_workers()
        for name, cluster in zip(("cluster A", "cluster B"), self.fleet.clusters, strict=True):
            with suppress(psutil.Error):  # it is down
                yield name, cluster_processes(cluster)

    def grown(self) -> list[str]:
        """Return what has more in the last quarter of the run than in the second."""
        found = []
        for kind in self.samples:
            then, now = self.quarter(kind, 2), self.quarter(kind, 4)
            if now.memory > then.memory * GROWTH + ROOM:
                found.append(f"{kind}: from {then.memory:.0f} to {now.memory:.0f} MiB each")
            if now.descriptors > then.descriptors + MORE_DESCRIPTORS:
                found.append(
                    f"{kind}: from {then.descriptors:.0f} to {now.descriptors:.0f} descriptors each"
                )
        return found

    def table(self) -> list[str]:
        """Return a line for each kind of process."""
        lines = []
        for kind in self.samples:
            then, now = self.quarter(kind, 2), self.quarter(kind, 4)
            memory = f"{then.memory:.1f} and {now.memory:.1f} MiB"
            lines.append(
                f"{kind}: {memory}, {then.descriptors:.0f} and {now.descriptors:.0f} files"
            )
        return lines

    def quarter(self, kind: str, number: int) -> Sample:
        """Return the medians of a quarter of the run, from 1 to 4."""
        samples = self.samples[kind]
        size = max(1, len(samples) // 4)
        part = samples[(number - 1) * size : number * size if number < 4 else None] or samples[-1:]
        return Sample(
            part[0].at,
            median(sample.memory for sample in part),
            median(sample.descriptors for sample in part),
        )


def sampled(processes: list[psutil.Process]) -> Sample | None:
    """Return what the processes have on average; None if there are none."""
    memory, descriptors = [], []
    for process in processes:
        with suppress(psutil.Error):
            memory.append(process.memory_full_info().pss / MIB)
            descriptors.append(process.num_fds())
    if not memory or len(memory) != len(descriptors):
        return None
    count = len(memory)
    return Sample(time.monotonic(), sum(memory) / count, sum(descriptors) / count)
