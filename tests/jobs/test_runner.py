from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import OperationalError, transaction

from accounts.models import User
from jobs import endings, recovery, registry, runner, upkeep
from jobs.actions import submit
from jobs.exceptions import Draining, LeaseLost
from jobs.models import Job
from jobs.progress import Progress
from jobs.tasks import run_job
from tests.operations import Noted, settled
from tests.trees import inner, jobs_of, leaf, make_stale, row_of


@pytest.fixture
def as_operation(owner: User) -> Iterator[Callable[[Callable[[Job, Progress], None]], Job]]:
    """Return what makes a function an operation and submits a job of it."""
    known = dict(registry._operations)

    def submit_running(function: Callable[[Job, Progress], None]) -> Job:
        class Custom(Noted):
            name = "test_custom"

            def run(self, job: Job, progress: Progress) -> None:
                function(job, progress)

        registry.register(Custom)
        return submit(leaf(1000, Custom.name), owner)

    yield submit_running
    registry._operations.clear()
    registry._operations.update(known)


def test_job_runs_to_its_end(job: Job) -> None:
    runner.run_next()
    job.refresh_from_db()
    assert (job.state, job.progress, job.attempts) == ("success", 100, 1)
    assert job.lease_token is None
    assert job.worker == runner.worker_name()
    assert settled == [(str(job.pk), "success")]


def test_message_carries_the_uuid_as_text(job: Job) -> None:
    run_job(str(job.pk))
    assert Job.objects.get().state == "success"


def test_one_message_is_enough_for_all_that_wait(owner: User) -> None:
    for _ in range(3):
        submit(leaf(), owner)
    run_job(str(Job.objects.first().pk))
    assert list(Job.objects.values_list("state", flat=True)) == ["success"] * 3


def test_job_that_breaks_stops_no_other(
    as_operation: Callable[[Callable[[Job, Progress], None]], Job], owner: User
) -> None:
    def break_down(job: Job, progress: Progress) -> None:
        raise ZeroDivisionError

    broken = as_operation(break_down)
    other = submit(leaf(), owner)
    runner.run_waiting()
    states = [Job.objects.get(pk=job.pk).state for job in (broken, other)]
    assert states == ["failed", "success"]


def test_job_that_was_lost_stops_no_other(
    as_operation: Callable[[Callable[[Job, Progress], None]], Job], owner: User
) -> None:
    def lose(job: Job, progress: Progress) -> None:
        Job.objects.filter(pk=job.pk).update(lease_token=uuid4())

    lost = as_operation(lose)
    other = submit(leaf(), owner)
    runner.run_waiting()
    states = [Job.objects.get(pk=job.pk).state for job in (lost, other)]
    assert states == ["started", "success"]


@pytest.fixture
def exhausted(owner: User) -> Job:
    """A job that nobody claims any more; only the sweep ends it."""
    job = submit(leaf(), owner)
    Job.objects.filter(pk=job.pk).update(fruitless=settings.JOB_MAX_ATTEMPTS)
    return job


@pytest.mark.parametrize(("seconds", "state"), [(0, "failed"), (60, "started")])
def test_worker_that_always_finds_a_job_sweeps_in_between(
    exhausted: Job, job: Job, monkeypatch: pytest.MonkeyPatch, seconds: int, state: str
) -> None:
    monkeypatch.setitem(upkeep.WORKS, recovery.sweep, seconds)
    runner.run_waiting()
    states = [Job.objects.get(pk=one.pk).state for one in (job, exhausted)]
    assert states == ["success", state]


def test_upkeep_that_breaks_stops_no_job(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down() -> None:
        raise ZeroDivisionError

    jobs = [submit(leaf(), owner) for _ in range(3)]
    monkeypatch.setitem(upkeep.WORKS, break_down, 0)
    runner.run_waiting()
    assert [Job.objects.get(pk=job.pk).state for job in jobs] == ["success"] * 3


def test_message_delivered_twice_runs_once(job: Job) -> None:
    runner.run_next()
    after_first = row_of(job)
    runner.run_next()
    assert row_of(job) == after_first
    assert len(settled) == 1


def test_job_that_another_worker_has_is_left_alone(claimed: Job) -> None:
    before = row_of(claimed)
    runner.run_next()
    assert row_of(claimed) == before
    assert settled == []


def test_job_of_a_worker_that_fell_silent_is_run(claimed: Job) -> None:
    make_stale(claimed)
    runner.run_next()
    job = Job.objects.get()
    assert (job.state, job.attempts) == ("success", 2)


@pytest.mark.django_db
def test_unknown_job_is_ignored() -> None:
    runner.run_next()
    assert settled == []


def test_inner_job_is_not_run(owner: User) -> None:
    root = submit(inner(leaf()), owner)
    Job.objects.filter(pk=root.pk).update(queued_at=root.created.replace(year=2014))
    runner.run_next()
    assert [state for _, state in settled] == ["success", "success"]
    assert [job.attempts for job in jobs_of(root)] == [0, 1]


def test_failure_is_told_to_the_owner(owner: User) -> None:
    job = submit(leaf(operation="test_failing"), owner)
    runner.run_next()
    job.refresh_from_db()
    assert (job.state, job.error, job.progress) == ("failed", "The disk is on fire.", 0)
    assert settled == [(str(job.pk), "failed")]


def test_break_is_told_to_the_operator_only(owner: User, caplog: pytest.LogCaptureFixture) -> None:
    job = submit(leaf(operation="test_breaking"), owner)
    runner.run_next()
    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", runner.UNEXPECTED.message)
    assert "secret detail" in caplog.text
    assert settled == [(str(job.pk), "failed")]


def test_job_whose_operation_is_gone_can_be_run_by_a_worker_that_has_it(job: Job) -> None:
    Job.objects.update(operation="test_gone")
    with pytest.raises(LookupError, match="test_gone"):
        runner.run_next()
    Job.objects.update(operation="test_noted")
    make_stale(job)
    runner.run_next()
    assert Job.objects.get().state == "success"


def test_progress_is_written_before_the_end(
    as_operation: Callable[[Callable[[Job, Progress], None]], Job],
) -> None:
    def work_then_fail(job: Job, progress: Progress) -> None:
        progress.report(100, 100, "test")
        progress.report(600, 500, "test")  # too soon to be written on its own
        raise ZeroDivisionError

    job = as_operation(work_then_fail)
    runner.run_next()
    job.refresh_from_db()
    assert (job.state, job.bytes_done, job.cursor) == ("failed", 600, 500)


def test_worker_that_lost_its_lease_touches_nothing(
    as_operation: Callable[[Callable[[Job, Progress], None]], Job],
) -> None:
    rows = []

    def be_replaced(job: Job, progress: Progress) -> None:
        make_stale(job)
        assert Job.objects.get(pk=job.pk).claim("worker:2")
        rows.append(row_of(job))

    job = as_operation(be_replaced)
    runner.run_next()
    assert rows == [row_of(job)]
    assert settled == []


def test_worker_learns_from_its_report_that_it_was_replaced(
    as_operation: Callable[[Callable[[Job, Progress], None]], Job],
) -> None:
    went_on = []

    def be_replaced_and_report(job: Job, progress: Progress) -> None:
        make_stale(job)
        assert Job.objects.get(pk=job.pk).claim("worker:2")
        progress.report(1, 1)
        progress.flush()
        went_on.append(job)

    job = as_operation(be_replaced_and_report)
    runner.run_next()
    job.refresh_from_db()
    assert (job.worker, job.bytes_done, went_on) == ("worker:2", 0, [])


def test_job_is_given_back_while_the_cluster_stops(
    as_operation: Callable[[Callable[[Job, Progress], None]], Job],
) -> None:
    def be_stopped(job: Job, progress: Progress) -> None:
        progress.report(300, 200, "test")
        raise Draining

    job = as_operation(be_stopped)
    runner.run_next()
    job.refresh_from_db()
    assert (job.state, job.lease_token, job.attempts) == ("started", None, 0)
    assert (job.bytes_done, job.cursor) == (300, 200)
    assert settled == []


def test_break_while_settling_leaves_the_job_unfinished(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(self: Noted, job: Job) -> None:
        raise ZeroDivisionError

    root = submit(inner(leaf()), owner)
    monkeypatch.setattr(Noted, "settle", break_down)
    with pytest.raises(ZeroDivisionError):
        runner.run_next()
    assert {job.state for job in jobs_of(root)} == {"started"}


def test_end_of_a_lost_lease_does_not_end_the_parent(owner: User) -> None:
    root = submit(inner(leaf()), owner)
    child = jobs_of(root)[1]
    assert child.claim("worker:1")
    make_stale(child)
    assert Job.objects.get(pk=child.pk).claim("worker:2")
    with pytest.raises(LeaseLost), transaction.atomic():
        endings.finish(child, Job.State.SUCCESS)
    assert {job.state for job in jobs_of(root)} == {"started"}
    assert settled == []


def test_job_is_finished_again_after_a_deadlock(
    as_operation: Callable[[Callable[[Job, Progress], None]], Job],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runner, "PAUSES_BEFORE_FINISHING_AGAIN", (0, 0))
    job, settle, broken = as_operation(lambda job, progress: None), Noted.settle, [True]

    def settle_at_the_second_time(operation: Noted, job: Job) -> None:
        if broken and broken.pop():
            raise OperationalError("deadlock detected")
        settle(operation, job)

    monkeypatch.setattr(Noted, "settle", settle_at_the_second_time)
    runner.run_next()
    job.refresh_from_db()
    assert (job.state, settled) == ("success", [(str(job.pk), "success")])
