"""`throughput`: clones of 200 drives with 1 MiB of data, against as many tasks that do nothing.

Both are queued before the cluster starts; what counts is the time from the first to the last.
"""

import os
import time
from pathlib import Path

from django.db.models import Max, Min
from django.utils import timezone
from django_q.tasks import async_task

from accounts.models import User
from benchmarks.environment import home
from benchmarks.measure import Result, medians
from benchmarks.processes import cluster, wait_for
from benchmarks.sources import make_source
from drives.cloning import clone_drive
from jobs.models import Job

TASKS, ROUNDS = 200, 9


def run() -> Result:
    owner = User.objects.create_user("many@example.com")
    sources = [make_source(owner) for _ in range(TASKS)]
    figures: dict[str, list[float]] = {"clones": [], "no-ops": []}
    for _ in range(ROUNDS):
        figures["clones"].append(TASKS / seconds_of_clones(owner, [d.pk for d in sources]))
        figures["no-ops"].append(TASKS / seconds_of_noops())
    typical = medians(figures)
    ratio = typical["clones"] / typical["no-ops"]
    return Result(
        name="throughput",
        ours=f"{typical['clones']:.0f} clones/s",
        floor=f"no-op tasks {typical['no-ops']:.0f}/s",
        ratio=ratio,
        target="≥ 0.4 of django-q2's no-op tasks",
        holds=ratio >= 0.4,
        raw={"per_second": figures},
    )


def seconds_of_clones(owner: User, sources: list[object]) -> float:
    began = timezone.now()
    for source in sources:
        clone_drive(source, owner, {})
    jobs = Job.objects.filter(created__gte=began)
    with cluster():
        wait_for(lambda: not Job.objects.unfinished().exists(), seconds=120)
    assert set(jobs.values_list("state", flat=True)) == {Job.State.SUCCESS}
    span = jobs.aggregate(first=Min("claimed_at"), last=Max("finished_at"))
    return (span["last"] - span["first"]).total_seconds()


def seconds_of_noops() -> float:
    for _ in range(TASKS):
        async_task("benchmarks.throughput.noop")
    with cluster():
        wait_for(lambda: len(noted()) == TASKS, seconds=120)
    times = noted()
    notes().unlink()
    return max(times) - min(times)


def noop() -> None:
    """Do nothing but note when."""
    with os.fdopen(os.open(notes(), os.O_WRONLY | os.O_CREAT | os.O_APPEND), "w") as file:
        file.write(f"{time.time()}\n")


def noted() -> list[float]:
    return [float(line) for line in notes().read_text().split()] if notes().exists() else []


def notes() -> Path:
    return home() / "noops"
