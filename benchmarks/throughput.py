"""`throughput`: clones of drives with 1 MiB of data, against as many tasks that do nothing.

Both are queued before the clusters start; what counts is the time from the first to the last. The
queue is that of the settings: in the database, or in Redis.
"""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.db.models import Max, Min
from django.utils import timezone
from django_q.tasks import async_task

from accounts.models import User
from benchmarks.copies import copies_per_second
from benchmarks.environment import home
from benchmarks.measure import Result, medians
from benchmarks.processes import cluster, wait_for
from benchmarks.sources import HOST, make_source
from drives.cloning import clone_drive
from drives.models import Drive
from drives.storage import get_host
from jobs.models import Job


def run() -> Result:
    return throughput("throughput", tasks=200, clusters_count=1, least=0.4, rounds=9)


def run_two_clusters() -> Result:
    return throughput("throughput-2", tasks=1000, clusters_count=2, least=0.5, rounds=3)


def throughput(name: str, tasks: int, clusters_count: int, least: float, rounds: int) -> Result:
    """Measure it; the raw figures also have the same images copied without any service."""
    owner = User.objects.create_user(f"{name}@example.com")
    sources = [make_source(owner) for _ in range(tasks)]
    images = [image_of(source) for source in sources]
    figures: dict[str, list[float]] = {"clones": [], "no-ops": [], "bare copies": []}
    for _ in range(rounds):
        figures["clones"].append(tasks / seconds_of_clones(owner, sources, clusters_count))
        figures["no-ops"].append(tasks / seconds_of_noops(tasks, clusters_count))
        figures["bare copies"].append(copies_per_second(images, home()))
    typical = medians(figures)
    ratio = typical["clones"] / typical["no-ops"]
    return Result(
        name=name,
        ours=f"{typical['clones']:.0f} clones/s",
        floor=f"no-op tasks {typical['no-ops']:.0f}/s",
        ratio=ratio,
        target=f"≥ {least} of django-q2's no-op tasks",
        holds=ratio >= least,
        raw={"per_second": figures},
    )


def image_of(drive: Drive) -> Path:
    folder: Path = get_host(HOST).backend.folder.root
    return folder / f"{drive.pk}.raw"


@contextmanager
def clusters(count: int) -> Iterator[None]:
    with ExitStack() as running:
        for _ in range(count):
            running.enter_context(cluster())
        yield


def seconds_of_clones(owner: User, sources: list[Drive], clusters_count: int) -> float:
    began = timezone.now()
    for source in sources:
        clone_drive(source.pk, owner, {})
    jobs = Job.objects.filter(created__gte=began)
    with clusters(clusters_count):
        wait_for(lambda: not Job.objects.unfinished().exists(), seconds=300)
    assert set(jobs.values_list("state", flat=True)) == {Job.State.SUCCESS}
    span = jobs.aggregate(first=Min("claimed_at"), last=Max("finished_at"))
    return (span["last"] - span["first"]).total_seconds()


def seconds_of_noops(tasks: int, clusters_count: int) -> float:
    for _ in range(tasks):
        async_task("benchmarks.throughput.noop")
    with clusters(clusters_count):
        wait_for(lambda: len(noted()) == tasks, seconds=300)
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
