"""What the users of a soak saw, what was done to the service meanwhile, and what must not be."""

import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import quantiles

GRACE = 15  # seconds in which all has to be well again after an outage
SHOWN = 300  # characters of an answer


@dataclass
class Outage:
    """Something that is away, so that requests may fail; `ended` is None meanwhile."""

    name: str
    began: float
    ended: float | None = None

    def covers(self, moment: float) -> bool:
        return self.began <= moment <= (self.ended or moment) + GRACE


@dataclass
class Trouble:
    """A request that a client could do nothing with."""

    at: float
    what: str
    is_broken: bool  # the connection was; else the answer was a 503


@dataclass
class Ledger:
    """Notes of all threads of a soak."""

    began: float = field(default_factory=time.monotonic)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)  # faults, and what operators did
    done_last: deque[str] = field(default_factory=lambda: deque(maxlen=4))
    seconds: list[float] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answered(self, act: str, status: int, seconds: float) -> None:
        with self.lock:
            self.answers[act, status] += 1
            self.seconds.append(seconds)

    def trouble(self, what: str, *, is_broken: bool) -> None:
        with self.lock:
            self.troubles.append(Trouble(time.monotonic(), what, is_broken))

    def did(self, what: str) -> None:
        """Note what was begun to be done to the service."""
        with self.lock:
            self.done[what] += 1
            self.done_last.append(f"{what} at {self.now():.0f} s")

    def breach(self, what: str) -> None:
        """Note what must not be, and what was done before; the soak fails."""
        with self.lock:
            before = ", ".join(self.done_last)
            self.breaches.append(f"at {self.now():.0f} s: {what} (done before: {before})")

    def now(self) -> float:
        """Return the seconds since the soak began."""
        return time.monotonic() - self.began

    @contextmanager
    def outage(self, name: str) -> Iterator[None]:
        """Let requests fail while something is away."""
        outage = Outage(name, time.monotonic())
        self.outages.append(outage)
        try:
            yield
        finally:
            outage.ended = time.monotonic()

    def unexplained(self) -> list[str]:
        """Return the failed requests that no outage explains."""
        return [
            f"at {trouble.at - self.began:.0f} s: {trouble.what}"
            for trouble in self.troubles
            if not any(outage.covers(trouble.at) for outage in self.outages)
        ]

    def broken(self, act: str) -> int:
        """Return how often the connection broke while users did this."""
        return sum(trouble.is_broken and trouble.what.startswith(act) for trouble in self.troubles)

    def latency(self) -> tuple[float, float]:
        """Return the median and the 99th percentile of all answers, in seconds."""
        cuts = quantiles(self.seconds, n=100)
        return cuts[49], cuts[98]
