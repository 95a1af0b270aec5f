"""The database is away for a while: the work goes on, and what it has to say is said later.

The statements really fail, where Django hands them to the database.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from django.db import DataError, InterfaceError, OperationalError, connection
from django.db.models.functions import Now
from pytest_django import Settings

from accounts.models import User
from jobs import progress as progress_module
from jobs import runner, shutdown
from jobs.actions import JobSpec, submit
from jobs.exceptions import Draining, LeaseLost
from jobs.heartbeat import Heartbeat
from jobs.models import Cluster, Job
from jobs.presence import GONE_AFTER, cluster_here
from jobs.progress import Progress
from jobs.reports import NO_FAILURE, Failure, Reported
from tests.operations import settled
from tests.trees import kinds_of, make_stale, row_of


@pytest.fixture(autouse=True)
def outside_of_transactions(transactional_db: None) -> None:
    """Let a statement that fails spoil nothing but itself, as with a worker."""


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


@contextmanager
def outage(error: type[Exception] = OperationalError, statements: int = 10**9) -> Iterator[None]:
    """Let as many UPDATEs of jobs as there are `statements` fail."""
    left = [statements]

    def fail(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith("UPDATE") and left[0]:
            left[0] -= 1
            raise error("the database is away")
        return execute(sql, *rest)

    with connection.execute_wrapper(fail):
        yield


AWAY = pytest.mark.parametrize("error", [OperationalError, InterfaceError])


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that a worker makes, which take no time."""
    made: list[float] = []
    monkeypatch.setattr(runner.time, "sleep", made.append)
    return made


# --- the heartbeat --------------------------------------------------------------------------------


@AWAY
def test_cluster_beats_again_after_an_outage(error: type[Exception]) -> None:
    cluster = cluster_here(uuid4(), 2)
    cluster.appear()
    Cluster.objects.update(heartbeat_at=Now() - 2 * GONE_AFTER)
    heart = Heartbeat(cluster)
    with outage(error):
        heart.write()
    assert Cluster.objects.gone().exists()
    heart.write()
    assert Cluster.objects.running().exists()


# --- progress -------------------------------------------------------------------------------------


@AWAY
def test_report_is_no_reason_to_stop(claimed: Job, clock: Clock, error: type[Exception]) -> None:
    progress, before = Progress(claimed), row_of(claimed)
    with outage(error):
        for done in (100, 200, 300):
            clock.seconds += 1
            progress.report(done, done, "test")
    assert row_of(claimed) == before


def test_what_was_not_written_is_written_by_the_next_report(claimed: Job, clock: Clock) -> None:
    progress = Progress(claimed)
    clock.seconds += 1
    with outage():
        progress.report(100, 100, "test")
    clock.seconds += 1
    progress.report(200, 150, "test")
    job = Job.objects.get()
    assert (job.bytes_done, job.cursor) == (200, 150)


def test_what_was_not_written_is_pending(claimed: Job, clock: Clock) -> None:
    progress = Progress(claimed)
    clock.seconds += 1
    with outage():
        progress.report(100, 90, "test")
    assert progress.pending == Reported(100, 90, "test")
    progress.flush()
    assert Job.objects.get().bytes_done == 100


def test_database_that_is_away_is_not_asked_at_every_report(claimed: Job, clock: Clock) -> None:
    progress, asked = Progress(claimed), []

    def count(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith("UPDATE"):
            asked.append(sql)
            raise OperationalError
        return execute(sql, *rest)

    with connection.execute_wrapper(count):
        for step in range(10):
            clock.seconds += 0.5
            progress.report(step, step, "test")
    assert len(asked) == 5


def test_lost_lease_is_told_when_the_database_is_back(claimed: Job, clock: Clock) -> None:
    progress = Progress(claimed)
    clock.seconds += 1
    with outage():
        progress.report(100, 100, "test")
    make_stale(claimed)
    assert Job.objects.get().claim("worker:2")
    clock.seconds += 1
    with pytest.raises(LeaseLost):
        progress.report(200, 200, "test")


def test_cursor_that_went_back_is_written_as_soon_as_it_can_be(claimed: Job, clock: Clock) -> None:
    claimed.report(Reported(500, 500, "test"))
    progress = Progress(claimed)
    with outage():
        progress.report(0, 0)
    assert Job.objects.get().cursor == 500
    progress.report(1, 1)  # at once, however soon that is
    assert Job.objects.get().cursor == 1


def test_other_errors_of_the_database_are_errors(claimed: Job, clock: Clock) -> None:
    clock.seconds += 1
    progress = Progress(claimed)
    clock.seconds += 1
    with outage(DataError), pytest.raises(DataError):
        progress.report(100, 100, "test")


def test_job_is_not_given_back_while_the_database_is_away(claimed: Job) -> None:
    progress, before = Progress(claimed), row_of(claimed)
    progress.report(100, 100, "test")
    with outage():
        runner.give_back(claimed, progress)
    assert row_of(claimed) == before


# --- the operation --------------------------------------------------------------------------------


@pytest.fixture
def asking(owner: User) -> Job:
    """A claimed job whose operation asks the database."""
    job = submit(JobSpec("test_asking"), owner)
    assert job.claim("worker:1")
    return job


@AWAY
def test_operation_is_run_again_once_the_database_is_back(
    asking: Job, pauses: list[float], error: type[Exception]
) -> None:
    with outage(error, statements=3):
        runner.work(asking)
    assert pauses == [0.1, 0.5, 2]
    assert kinds_of(Job.objects.get()) == ["submitted", "claimed", "success"]


def test_operation_that_cannot_ask_for_long_leaves_the_job_to_others(
    asking: Job, pauses: list[float], settings: Settings
) -> None:
    before = row_of(asking)
    with outage():
        runner.work(asking)
    assert row_of(asking) == before
    assert sum(pauses) < settings.JOB_LEASE_SECONDS


def test_operation_that_cannot_ask_ends_with_the_cluster(
    asking: Job, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutdown._draining, "value", True)
    with outage():
        runner.work(asking)
    assert pauses == []


# --- the end --------------------------------------------------------------------------------------


@AWAY
def test_job_is_finished_once_the_database_is_back(
    job: Job, pauses: list[float], error: type[Exception]
) -> None:
    assert job.claim("worker:1")
    with outage(error, statements=6):
        runner.finish_surely(job, Job.State.SUCCESS, NO_FAILURE, Reported(900, 900, "test"))
    job.refresh_from_db()
    assert (job.state, job.bytes_done, job.method) == ("success", 1000, "test")
    assert pauses == [0.1, 0.5, 2, 5, 5, 5]
    assert settled == [(str(job.pk), "success")]
    assert kinds_of(job) == ["submitted", "claimed", "success"]


def test_failure_is_told_once_the_database_is_back(claimed: Job, pauses: list[float]) -> None:
    failure = Failure("Full.", "no_space", "Delete.")
    with outage(statements=2):
        runner.finish_surely(claimed, Job.State.FAILED, failure, None)
    claimed.refresh_from_db()
    assert (claimed.state, claimed.error, claimed.error_code) == ("failed", "Full.", "no_space")


def test_end_that_comes_too_late_changes_nothing(
    claimed: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While this worker tries again and again, another one takes the job."""
    rows = []

    def be_replaced(seconds: float) -> None:
        make_stale(claimed)
        assert Job.objects.get().claim("worker:2")
        rows.append(row_of(claimed))

    monkeypatch.setattr(runner.time, "sleep", be_replaced)
    with outage(statements=1), pytest.raises(LeaseLost):
        runner.finish_surely(claimed, Job.State.SUCCESS, NO_FAILURE, None)
    assert rows == [row_of(claimed)]


def test_worker_does_not_wait_for_ever_while_the_cluster_stops(
    claimed: Job, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutdown._draining, "value", True)
    with outage(), pytest.raises(Draining):
        runner.finish_surely(claimed, Job.State.SUCCESS, NO_FAILURE, None)
    assert pauses == [0.1, 0.5, 2, 5]
    assert Job.objects.get().state == "started"


def test_other_errors_end_the_attempt(claimed: Job, pauses: list[float]) -> None:
    with outage(DataError), pytest.raises(DataError):
        runner.finish_surely(claimed, Job.State.SUCCESS, NO_FAILURE, None)
    assert pauses == []
