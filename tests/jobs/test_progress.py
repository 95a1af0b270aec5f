"""The clock stands at the edge: tests set what it shows."""

import pytest

from jobs import progress as progress_module
from jobs import shutdown
from jobs.exceptions import Draining, LeaseLost
from jobs.models import Job
from jobs.progress import Progress
from jobs.reports import Reported
from tests.trees import make_stale


class Clock:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress_module, "time", clock)
    return clock


def written(job: Job) -> int:
    return Job.objects.get(pk=job.pk).bytes_done


def test_progress_is_written_once_a_second(claimed: Job, clock: Clock) -> None:
    progress, seen = Progress(claimed), []
    for step in range(1, 9):
        progress.report(step * 10, 0)
        seen.append(written(claimed))
        clock.seconds += 0.5
    assert seen == [0, 0, 30, 30, 50, 50, 70, 70]  # the claim counts as the first


def test_last_progress_is_written_by_a_flush(claimed: Job, clock: Clock) -> None:
    progress = Progress(claimed)
    progress.report(10, 5, "test")
    progress.report(20, 15, "test")
    progress.flush()
    job = Job.objects.get()
    assert (job.bytes_done, job.cursor, job.method) == (20, 15, "test")


def test_flush_of_nothing_writes_nothing(claimed: Job, clock: Clock) -> None:
    Job.objects.update(lease_token=None)
    Progress(claimed).flush()


def test_report_tells_a_worker_that_it_was_replaced(claimed: Job, clock: Clock) -> None:
    make_stale(claimed)
    assert Job.objects.get().claim("worker:2")
    progress = Progress(claimed)
    clock.seconds += 1
    with pytest.raises(LeaseLost):
        progress.report(10, 10)
    assert written(claimed) == 0


def test_report_while_the_cluster_stops_is_left_for_the_flush(
    claimed: Job, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = Progress(claimed)
    progress.report(10, 10)
    monkeypatch.setattr(shutdown._draining, "value", True)
    with pytest.raises(Draining):
        progress.report(20, 20)
    progress.flush()
    assert written(claimed) == 20


def test_cursor_that_goes_back_is_written_at_once(claimed: Job, clock: Clock) -> None:
    claimed.report(Reported(500, 500, "test"))
    claimed.refresh_from_db()
    Progress(claimed).report(0, 0)
    assert Job.objects.get().cursor == 0
