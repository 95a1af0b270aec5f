"""Every move of a job's state, and its losing side: the row changes between read and write."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from accounts.models import User
from jobs.actions import submit
from jobs.exceptions import LeaseLost
from jobs.models import Job
from jobs.reports import Failure, Reported
from tests.trees import inner, jobs_of, leaf, make_stale, row_of

Move = Callable[[Job], object]

MOVES: dict[str, Move] = {
    "report": lambda job: job.report(Reported(500, 400, "test")),
    "release": lambda job: job.release(),
    "succeed": lambda job: job.end(Job.State.SUCCESS),
    "fail": lambda job: job.end(Job.State.FAILED, Failure("no")),
}


def reread(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


# --- claim ------------------------------------------------------------------------------------


def test_claim_takes_the_lease(job: Job) -> None:
    assert job.claim("worker:1")
    job.refresh_from_db()
    assert job.lease_token is not None
    assert (job.worker, job.attempts, job.state) == ("worker:1", 1, "started")
    assert job.heartbeat_at is not None
    assert job.claimed_at is not None


def test_claim_while_leased_is_refused(claimed: Job) -> None:
    before = row_of(claimed)
    assert not reread(claimed).claim("worker:2")
    assert row_of(claimed) == before


def test_claim_of_two_that_read_alike_has_one_winner(job: Job) -> None:
    first, second = reread(job), reread(job)
    assert [first.claim("worker:1"), second.claim("worker:2")] == [True, False]
    assert reread(job).worker == "worker:1"
    assert reread(job).attempts == 1


def test_stale_lease_is_claimed_under_a_new_token(claimed: Job) -> None:
    old = claimed.lease_token
    make_stale(claimed)
    second = reread(claimed)
    assert second.claim("worker:2")
    assert second.lease_token != old
    assert (second.worker, second.attempts) == ("worker:2", 2)


@pytest.mark.parametrize("state", Job.FINISHED)
def test_finished_job_is_not_claimed(job: Job, state: Job.State) -> None:
    Job.objects.update(state=state)
    assert not job.claim("worker:1")


def test_finished_job_is_not_claimed_though_its_lease_is_stale(claimed: Job) -> None:
    stale = reread(claimed)
    claimed.end(Job.State.SUCCESS)
    make_stale(claimed)
    assert not stale.claim("worker:2")


def test_inner_job_is_not_claimed(owner: User) -> None:
    root = submit(inner(leaf()), owner)
    assert not root.claim("worker:1")
    assert jobs_of(root)[1].claim("worker:1")


def test_job_that_is_gone_is_not_claimed(job: Job) -> None:
    Job.objects.all().delete()
    assert not job.claim("worker:1")


# --- report, release, end -----------------------------------------------------------------------


def test_report_writes_progress_and_renews_the_lease(claimed: Job) -> None:
    make_stale(claimed)
    claimed.report(Reported(500, 400, "test"))
    now = reread(claimed)
    assert (now.bytes_done, now.cursor, now.method, now.progress) == (500, 400, "test", 50)
    assert now.lease_token == claimed.lease_token
    assert not Job.objects.claimable().exists()


def test_report_never_goes_back(claimed: Job) -> None:
    claimed.report(Reported(700, 700, "test"))
    claimed.report(Reported(300, 0, "test"))
    now = reread(claimed)
    assert (now.bytes_done, now.progress) == (700, 70)
    assert now.cursor == 0


def test_release_lets_the_job_wait_again(claimed: Job) -> None:
    claimed.report(Reported(500, 400, "test"))
    claimed.release()
    now = reread(claimed)
    assert (now.lease_token, now.worker, now.attempts, now.state) == (None, "", 0, "started")
    assert (now.bytes_done, now.cursor) == (500, 400)
    assert now.claim("worker:2")


def test_end_with_success_is_whole(claimed: Job) -> None:
    claimed.report(Reported(500, 400, "test"))
    claimed.end(Job.State.SUCCESS)
    now = reread(claimed)
    assert (now.state, now.progress, now.bytes_done, now.error) == ("success", 100, 1000, "")
    assert now.lease_token is None
    assert now.finished_at is not None
    assert now.is_finished


@pytest.mark.parametrize("state", [Job.State.FAILED, Job.State.CANCELLED])
def test_end_without_success_keeps_the_progress(claimed: Job, state: Job.State) -> None:
    claimed.report(Reported(500, 400, "test"))
    claimed.end(state, Failure("why"))
    now = reread(claimed)
    assert (now.state, now.progress, now.error) == (state, 50, "why")


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_move_tells_when_the_job_last_changed(claimed: Job, move: Move) -> None:
    Job.objects.update(last_modified=claimed.created.replace(year=2014))
    move(claimed)
    assert reread(claimed).last_modified.year > 2014


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_move_of_a_worker_that_was_replaced_changes_nothing(claimed: Job, move: Move) -> None:
    make_stale(claimed)
    assert reread(claimed).claim("worker:2")
    before = row_of(claimed)
    with pytest.raises(LeaseLost):
        move(claimed)
    assert row_of(claimed) == before


@pytest.mark.parametrize("state", Job.FINISHED)
@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_move_of_a_job_that_ended_meanwhile_changes_nothing(
    claimed: Job, move: Move, state: Job.State
) -> None:
    reread(claimed).end(state)
    before = row_of(claimed)
    with pytest.raises(LeaseLost):
        move(claimed)
    assert row_of(claimed) == before


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_move_after_the_lease_was_given_back_changes_nothing(claimed: Job, move: Move) -> None:
    reread(claimed).release()
    before = row_of(claimed)
    with pytest.raises(LeaseLost):
        move(claimed)
    assert row_of(claimed) == before


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_move_without_ever_claiming_changes_nothing(job: Job, move: Move) -> None:
    before = row_of(job)
    with pytest.raises(LeaseLost):
        move(job)
    assert row_of(job) == before


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_move_under_a_made_up_token_changes_nothing(claimed: Job, move: Move) -> None:
    before = row_of(claimed)
    claimed.lease_token = uuid4()
    with pytest.raises(LeaseLost):
        move(claimed)
    assert row_of(claimed) == before


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_move_of_a_job_that_is_gone_is_told(claimed: Job, move: Move) -> None:
    Job.objects.filter(pk=claimed.pk).delete()
    with pytest.raises(LeaseLost):
        move(claimed)
