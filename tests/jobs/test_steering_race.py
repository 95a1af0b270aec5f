"""A job that is cancelled or retried at the very moment at which something else moves it.

The moment is forced: the first one has done its part, but its transaction is not committed yet,
when the second one begins.
"""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import User
from cloudjobs.api.exceptions import Refused
from jobs import endings, runner
from jobs.actions import JobSpec, cancel_job, retry_job, submit
from jobs.exceptions import LeaseLost
from jobs.models import Job
from tests.factories import UserFactory
from tests.operations import settled
from tests.trees import inner, jobs_of, kinds_of, leaf, states_of, wear_out

HOLD_SECONDS = 0.3
SHAPES = pytest.mark.parametrize("spec", [leaf(5), inner(leaf(5))], ids=["leaf", "tree"])


@pytest.fixture
def owner(transactional_db: None) -> User:
    return UserFactory()


def collide(first: Callable[[], Any], second: Callable[[], Any]) -> list[type[Exception] | None]:
    """Do both, the second while the first is not committed; return how each failed, if it did."""
    first_is_done, results = threading.Event(), {}

    def hold() -> None:
        with transaction.atomic():
            try:
                first()
            finally:
                first_is_done.set()
            threading.Event().wait(HOLD_SECONDS)

    def follow() -> None:
        first_is_done.wait()
        second()

    def noted(work: Callable[[], None]) -> None:
        results[work] = None
        try:
            work()
        except Exception as error:
            results[work] = type(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=noted, args=(work,)) for work in (hold, follow)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[hold], results[follow]]


def claimed_leaf(root: Job) -> Job:
    job = jobs_of(root)[-1]
    assert job.claim("worker:1")
    return job


@SHAPES
def test_success_before_the_cancel_wins(owner: User, spec: JobSpec) -> None:
    root = submit(spec, owner)
    job = claimed_leaf(root)
    errors = collide(
        lambda: endings.finish(job, Job.State.SUCCESS), lambda: cancel_job(root.pk, owner)
    )
    assert errors == [None, Refused]
    assert set(states_of(root)) == {"success"}
    assert {state for _, state in settled} == {"success"}


@SHAPES
def test_cancel_before_the_success_wins(owner: User, spec: JobSpec) -> None:
    root = submit(spec, owner)
    job = claimed_leaf(root)
    errors = collide(
        lambda: cancel_job(root.pk, owner), lambda: endings.finish(job, Job.State.SUCCESS)
    )
    assert errors == [None, LeaseLost]
    assert set(states_of(root)) == {"cancelled"}
    assert {state for _, state in settled} == {"cancelled"}


@SHAPES
def test_two_cancels_end_the_job_once(owner: User, spec: JobSpec) -> None:
    root = submit(spec, owner)
    errors = collide(lambda: cancel_job(root.pk, owner), lambda: cancel_job(root.pk, owner))
    assert errors == [None, None]
    assert {tuple(kinds_of(job)) for job in jobs_of(root)} == {("submitted", "cancelled")}
    assert len(settled) == len(jobs_of(root))


@SHAPES
def test_two_retries_revive_the_job_once(owner: User, spec: JobSpec) -> None:
    root = submit(spec, owner)
    cancel_job(root.pk, owner)
    errors = collide(lambda: retry_job(root.pk, owner), lambda: retry_job(root.pk, owner))
    assert errors == [None, Refused]
    logs = {tuple(kinds_of(job)) for job in jobs_of(root)}
    assert logs == {("submitted", "cancelled", "retried")}


@SHAPES
def test_cancel_after_a_retry_cancels_it_again(owner: User, spec: JobSpec) -> None:
    root = submit(spec, owner)
    cancel_job(root.pk, owner)
    errors = collide(lambda: retry_job(root.pk, owner), lambda: cancel_job(root.pk, owner))
    assert errors == [None, None]
    assert set(states_of(root)) == {"cancelled"}


@SHAPES
def test_job_that_is_being_cancelled_is_not_claimed(owner: User, spec: JobSpec) -> None:
    root = submit(spec, owner)
    assert collide(lambda: cancel_job(root.pk, owner), runner.run_next) == [None, None]
    assert set(states_of(root)) == {"cancelled"}
    assert {job.attempts for job in jobs_of(root)} == {0}


@SHAPES
def test_job_that_is_being_claimed_is_cancelled(owner: User, spec: JobSpec) -> None:
    root = submit(spec, owner)
    assert collide(runner.claim_next, lambda: cancel_job(root.pk, owner)) == [None, None]
    job = jobs_of(root)[-1]
    assert (job.state, job.lease_token, job.attempts) == ("cancelled", None, 1)


@SHAPES
def test_log_of_a_job_that_is_cancelled_while_it_is_claimed_is_whole(
    owner: User, spec: JobSpec
) -> None:
    root = submit(spec, owner)
    collide(runner.claim_next, lambda: cancel_job(root.pk, owner))
    assert kinds_of(jobs_of(root)[-1]) == ["submitted", "claimed", "cancelled"]


@SHAPES
def test_job_that_is_given_up_and_cancelled_ends_once(owner: User, spec: JobSpec) -> None:
    root = submit(spec, owner)
    wear_out(jobs_of(root)[-1])
    errors = collide(lambda: endings.give_up(jobs_of(root)[-1]), lambda: cancel_job(root.pk, owner))
    assert errors == [None, Refused]
    assert set(states_of(root)) == {"failed"}


@SHAPES
def test_two_workers_give_a_job_up_once(owner: User, spec: JobSpec) -> None:
    root = submit(spec, owner)
    job = jobs_of(root)[-1]
    wear_out(job)
    errors = collide(lambda: endings.give_up(job), lambda: endings.give_up(job))
    assert errors == [None, None]
    assert kinds_of(job) == ["submitted", "failed"]
    assert len(settled) == len(jobs_of(root))


@SHAPES
def test_two_workers_claim_a_job_once(owner: User, spec: JobSpec) -> None:
    root = submit(spec, owner)
    assert collide(runner.claim_next, runner.claim_next) == [None, None]
    assert kinds_of(jobs_of(root)[-1]) == ["submitted", "claimed"]
