"""Where the lines of a job's timeline and of its speed lie; templates draw them as SVG.

Both are 1000 units wide, whatever time that is. Heights are 100 units.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.utils import timezone

from cloudjobs.pages.measures import duration_text, rate_text
from jobs.models import Job
from jobs.roll_up import walk

WIDTH, HEIGHT = 1000, 100
LEAST_WIDTH = 4  # of a bar, so that a short attempt can be seen
POINTS = 60
WORDS = {
    "waiting": "Waiting",
    "running": "Running",
    "success": "Succeeded",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "lost": "Its worker was lost",
    "given_back": "Given back",
}


@dataclass(frozen=True)
class Bar:
    """A stretch of time in which a job waited, or was attempted."""

    x: float
    width: float
    kind: str
    label: str


@dataclass(frozen=True)
class Lane:
    """One sub-job over time."""

    name: str
    url: str
    bars: tuple[Bar, ...]

    @property
    def label(self) -> str:
        return f"{self.name}: {', '.join(bar.label for bar in self.bars)}"


@dataclass(frozen=True)
class Timeline:
    """A lane for each job that does work."""

    begin: datetime
    end: datetime
    took: str
    lanes: tuple[Lane, ...]


@dataclass(frozen=True)
class SpeedPlot:
    """The speed over the run: the line, the area below it, and what the top stands for.

    All of it is empty as long as there is nothing to draw, but its place is kept.
    """

    line: str
    area: str
    top: str
    took: str


def timeline_of(job: Job) -> Timeline:
    """Return the timeline of a job whose tree is fetched, up to now or to its end."""
    leaves = [node for node in walk([job]) if node.is_leaf]
    begin, end = job.created, job.finished_at or timezone.now()
    seconds = max((end - begin).total_seconds(), 0.001)
    lanes = (
        Lane(
            name=lane_name(leaf),
            url=str(leaf.pk) if leaf is not job else "",
            bars=tuple(bar_of(*span, begin, seconds) for span in spans_of(leaf, end)),
        )
        for leaf in leaves
    )
    return Timeline(begin, end, duration_text(seconds), tuple(lanes))


def lane_name(leaf: Job) -> str:
    return leaf.resources[-1]["name"] if leaf.resources else leaf.operation


def spans_of(leaf: Job, end: datetime) -> Iterator[tuple[datetime, datetime, str]]:
    """Yield begin, end and kind of each stretch that the events of a leaf tell of."""
    since, kind = leaf.created, "waiting"
    for entry in leaf.events:
        at, what = datetime.fromisoformat(entry["at"]), entry["kind"]
        if what == "submitted":
            continue
        if kind == "running":
            yield since, at, what
        elif kind == "waiting":
            yield since, at, "waiting"
        since, kind = at, kind_after(what)
    if kind:
        yield since, max(end, since), kind


def kind_after(what: str) -> str:
    """Return what a leaf does after an event: nothing, once it has ended."""
    if what == "claimed":
        return "running"
    return "" if what in Job.State.values else "waiting"


def bar_of(since: datetime, until: datetime, kind: str, begin: datetime, seconds: float) -> Bar:
    scale = WIDTH / seconds
    x = min(max(0.0, (since - begin).total_seconds() * scale), WIDTH - LEAST_WIDTH)
    width = max(LEAST_WIDTH, (until - since).total_seconds() * scale)
    label = f"{WORDS.get(kind, kind)}, {duration_text((until - since).total_seconds())}"
    return Bar(round(x, 1), round(min(width, WIDTH - x), 1), kind, label)


def speed_of(job: Job) -> SpeedPlot | None:
    """Return the plot of all leaves' samples together; None if there will never be enough."""
    tracks = [leaf.samples for leaf in walk([job]) if leaf.is_leaf and len(leaf.samples) > 1]
    begin = min((track[0][0] for track in tracks), default=0)
    end = max((track[-1][0] for track in tracks), default=0)
    if end - begin < 1:
        return None if job.is_finished else SpeedPlot("", "", "", "")
    rates = rates_over(tracks, begin, end)
    top = max(rates) or 1.0
    xs = [round(WIDTH * (place + 0.5) / len(rates), 1) for place in range(len(rates))]
    ys = [round(HEIGHT * (1 - 0.92 * rate / top), 1) for rate in rates]
    line = " ".join(
        f"{x},{y}" for x, y in zip([0.0, *xs, WIDTH], [ys[0], *ys, ys[-1]], strict=True)
    )
    area = f"0,{HEIGHT} {line} {WIDTH},{HEIGHT}"
    return SpeedPlot(line, area, rate_text(top), duration_text(end - begin))


def rates_over(tracks: list[Any], begin: float, end: float) -> list[float]:
    """Return the bytes per second in each of equal stretches of time, of all tracks together."""
    count = max(2, min(POINTS, int(end - begin)))
    step = (end - begin) / count
    totals = [
        sum(bytes_at(track, begin + step * place) for track in tracks) for place in range(count + 1)
    ]
    rates = [max(0.0, (after - before) / step) for before, after in pairwise(totals)]
    return smoothed(rates)


def smoothed(rates: list[float]) -> list[float]:
    """Return each rate as the mean of it and its neighbours: a reader wants the course."""
    padded = [rates[0], *rates, rates[-1]]
    return [sum(padded[place : place + 3]) / 3 for place in range(len(rates))]


def bytes_at(track: list[list[float]], at: float) -> float:
    """Return the bytes done at a time, between two samples as if they came evenly."""
    place = bisect_right(track, [at, float("inf")])
    if place == 0:
        return track[0][1]
    if place == len(track):
        return track[-1][1]
    (before, first), (after, last) = track[place - 1], track[place]
    share = (at - before) / (after - before) if after > before else 1.0
    return first + (last - first) * share
