"""Which job a free worker takes, and what becomes of those that cost workers their lives."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from jobs import endings, recovery, runner
from jobs.actions import submit
from jobs.models import Job
from jobs.reports import Reported
from tests import operations
from tests.operations import settled
from tests.trees import inner, jobs_of, kinds_of, leaf, make_stale, row_of, states_of, wear_out
from tests.wire import API, job_json


def queued(job: Job, minutes_ago: int) -> Job:
    moment = timezone.now() - timedelta(minutes=minutes_ago)
    Job.objects.filter(pk=job.pk).update(queued_at=moment)
    return job


def order() -> list[str]:
    """Run all jobs one after the other and return them in the order in which they ended."""
    while Job.objects.claimable().exists():
        runner.run_next()
    return [job for job, _ in settled]


def keys(*jobs: Job) -> list[str]:
    return [str(job.pk) for job in jobs]


def test_job_that_waits_longest_is_first_of_a_round(owner: User) -> None:
    jobs = [queued(submit(leaf(), owner), minutes) for minutes in (3, 9, 1)]
    Job.objects.update(turn=7)
    assert order() == keys(jobs[1], jobs[0], jobs[2])


def test_internal_job_is_first(owner: User) -> None:
    old = queued(submit(leaf(), owner), 60)
    internal = submit(leaf(operation="test_internal"), owner)
    assert order() == keys(internal, old)


def test_internal_jobs_go_by_their_age_too(owner: User) -> None:
    jobs = [queued(submit(leaf(operation="test_internal"), owner), m) for m in (1, 5)]
    assert order() == keys(jobs[1], jobs[0])


def test_jobs_of_one_moment_have_one_order(owner: User) -> None:
    jobs = [submit(leaf(), owner) for _ in range(5)]
    Job.objects.update(turn=7, queued_at=timezone.now())
    assert order() == sorted(keys(*jobs))


def test_leaves_of_a_tree_go_in_their_order(owner: User) -> None:
    root = submit(inner(leaf(), inner(leaf()), leaf()), owner)
    _, first, branch, second, third = jobs_of(root)
    assert order() == keys(first, second, branch, third, root)


def test_job_that_somebody_has_is_passed_over(owner: User) -> None:
    leased, free = queued(submit(leaf(), owner), 9), submit(leaf(), owner)
    assert leased.claim("worker:1")
    before = row_of(leased)
    assert order() == keys(free)
    assert row_of(leased) == before


def test_job_whose_worker_fell_silent_is_taken_in_its_turn(owner: User) -> None:
    silent, younger = queued(submit(leaf(), owner), 9), submit(leaf(), owner)
    assert silent.claim("worker:1")
    make_stale(silent)
    assert order() == keys(silent, younger)
    assert kinds_of(silent) == ["submitted", "claimed", "lost", "claimed", "success"]
    assert [entry["worker"] for entry in Job.objects.get(pk=silent.pk).events[1:3]] == [
        "worker:1",
        "worker:1",
    ]


def test_job_given_back_keeps_its_place(owner: User) -> None:
    back, younger = queued(submit(leaf(), owner), 9), submit(leaf(), owner)
    assert back.claim("worker:1")
    back.release()
    assert order() == keys(back, younger)
    assert kinds_of(back) == ["submitted", "claimed", "given_back", "claimed", "success"]


def test_one_message_runs_one_job(owner: User) -> None:
    for _ in range(2):
        submit(leaf(), owner)
    runner.run_next()
    assert len(settled) == 1


def test_nothing_is_claimed_while_the_cluster_stops(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner.shutdown._draining, "value", True)
    before = row_of(job)
    runner.run_next()
    assert row_of(job) == before


# --- attempts -------------------------------------------------------------------------------------


def die(job: Job, cursor: int | None = None) -> Job:
    """Claim a job as a worker that dies of it, once it has got on to the cursor."""
    job = Job.objects.get(pk=job.pk)
    assert job.claim("worker:1")
    if cursor is not None:
        job.report(Reported(cursor, cursor, "test"))
    make_stale(job)
    return job


def test_job_that_costs_three_workers_fails(
    api: APIClient, job: Job, settings: Any, owner: User
) -> None:
    for _ in range(settings.JOB_MAX_ATTEMPTS):
        die(job)
    recovery.sweep()
    job.refresh_from_db()
    assert (job.state, job.attempts, job.error_code) == ("failed", 3, "worker_lost")
    assert (job.lease_token, settled) == (None, [(str(job.pk), "failed")])
    data = {"error": endings.WORKER_LOST.message, "progress": 0}
    assert api.get(f"{API}/jobs/{job.pk}/").json() == job_json(job, data=data)


def test_job_that_costs_two_workers_is_tried_once_more(job: Job) -> None:
    for _ in range(2):
        die(job)
    runner.run_next()
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("success", 3)


def test_job_that_gets_on_is_tried_for_ever(job: Job) -> None:
    for cursor in range(100, 1000, 100):
        die(job, cursor)
    runner.run_next()
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("success", 10)


def test_job_that_stays_where_it_is_does_not_get_on(job: Job) -> None:
    for _ in range(4):
        if Job.objects.get().fruitless < 3:
            die(job, 100)
    assert Job.objects.get().fruitless == 3  # the first has got on, three have not
    recovery.sweep()
    assert states_of(job) == ["failed"]


def test_job_that_is_given_back_costs_no_attempt(job: Job) -> None:
    for _ in range(5):
        again = Job.objects.get()
        assert again.claim("worker:1")
        again.release()
    again.refresh_from_db()
    assert (again.attempts, again.fruitless) == (0, 0)


def test_exhausted_job_is_passed_over(owner: User) -> None:
    worn, fresh = queued(submit(leaf(), owner), 9), submit(leaf(), owner)
    wear_out(worn)
    runner.run_next()
    assert settled == [(str(fresh.pk), "success")]
    assert not Job.objects.get(pk=worn.pk).claim("worker:1")


def test_exhausted_leaf_ends_its_tree(owner: User) -> None:
    root = submit(inner(inner(inner(leaf()))), owner)
    wear_out(jobs_of(root)[3])
    recovery.sweep()
    assert states_of(root) == ["failed"] * 4
    assert {job.error_code for job in jobs_of(root)} == {"worker_lost"}


def test_job_that_a_worker_still_has_is_not_given_up(claimed: Job) -> None:
    wear_out(claimed)
    before = row_of(claimed)
    endings.give_up(claimed)
    assert row_of(claimed) == before


def test_job_that_was_retried_meanwhile_is_not_given_up(job: Job) -> None:
    wear_out(job)
    seen = Job.objects.get()
    Job.objects.update(fruitless=0)
    endings.give_up(seen)
    assert states_of(job) == ["started"]


def test_job_that_ended_meanwhile_is_not_given_up(claimed: Job) -> None:
    wear_out(claimed)
    seen = Job.objects.get()
    endings.finish(claimed, Job.State.SUCCESS)
    endings.give_up(seen)
    assert states_of(claimed) == ["success"]


def test_job_that_cannot_be_given_up_does_not_block_the_others(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that breaks whenever it is settled would else be the first for ever."""
    settle = operations.Noted.settle
    broken, worn, good = (submit(leaf(), owner) for _ in range(3))

    def break_down(self: Any, job: Job) -> None:
        if job.pk == broken.pk:
            raise ZeroDivisionError
        settle(self, job)

    monkeypatch.setattr(operations.Noted, "settle", break_down)
    wear_out(broken)
    wear_out(worn)
    recovery.sweep()
    runner.run_next()
    assert [states_of(job) for job in (broken, worn, good)] == [
        ["started"],
        ["failed"],
        ["success"],
    ]
