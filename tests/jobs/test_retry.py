"""Retrying: what runs again, what stays, who may, and what a second attempt starts with."""

import os
from collections.abc import Callable
from typing import Any

import pytest
from django_q.models import OrmQ
from pytest_django import DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient

from accounts.models import User
from cloudjobs.api.exceptions import Missing, Refused
from jobs import endings, recovery, runner
from jobs.actions import cancel_job, retry_job, submit
from jobs.models import Job
from jobs.reports import Failure, Reported
from tests import operations
from tests.trees import inner, jobs_of, kinds_of, leaf, row_of, states_of, steer, wear_out
from tests.wire import faults_of, job_json


@pytest.fixture
def failed(claimed: Job) -> Job:
    """A job that failed half way."""
    claimed.report(Reported(500, 400, "test", 7))
    endings.finish(claimed, Job.State.FAILED, Failure("no", "code", "hint"))
    return claimed


def test_failed_job_waits_again(api: APIClient, failed: Job) -> None:
    response = steer(api, failed, "retry")
    assert response.status_code == 200
    job = Job.objects.get()
    assert response.json() == job_json(job, data={"progress": 50})
    assert (job.error, job.error_code, job.error_hint, job.finished_at) == ("", "", "", None)
    assert (job.bytes_done, job.cursor, job.worker, job.heartbeat_at) == (500, 400, "", None)
    assert Job.objects.claimable().get() == job


def test_retried_job_succeeds(api: APIClient, failed: Job, run_jobs: Callable[[], None]) -> None:
    steer(api, failed, "retry")
    run_jobs()
    job = Job.objects.get()
    assert (job.state, job.progress, job.attempts) == ("success", 100, 2)


def test_cancelled_job_waits_again(api: APIClient, job: Job, owner: User) -> None:
    cancel_job(job.pk, owner)
    assert steer(api, job, "retry").json()["state"] == "started"
    assert Job.objects.claimable().get() == job


def test_retried_job_has_all_its_attempts_again(api: APIClient, job: Job) -> None:
    wear_out(job)
    recovery.sweep()
    assert states_of(job) == ["failed"]
    steer(api, job, "retry")
    assert Job.objects.claimable().exists()


def test_retried_job_waits_behind_the_others(api: APIClient, failed: Job, owner: User) -> None:
    second = submit(leaf(), owner)
    steer(api, failed, "retry")
    runner.run_next()
    second.refresh_from_db()
    assert (second.state, states_of(failed)) == ("success", ["started"])


@pytest.mark.parametrize("claim", [False, True], ids=["waiting", "running"])
def test_unfinished_job_is_not_retried(api: APIClient, job: Job, claim: bool) -> None:
    if claim:
        assert job.claim("worker:1")
    before = row_of(job)
    response = steer(api, job, "retry")
    assert response.status_code == 403
    assert faults_of(response) == [("permission", "state")]
    assert row_of(job) == before


def test_success_is_not_retried(api: APIClient, job: Job, run_jobs: Callable[[], None]) -> None:
    run_jobs()
    before = row_of(job)
    response = steer(api, job, "retry")
    assert response.status_code == 403
    assert "this one is success" in response.json()[0]["error_message"]
    assert row_of(job) == before


def test_success_that_came_meanwhile_is_not_revived(claimed: Job) -> None:
    seen = Job.objects.get(pk=claimed.pk)
    endings.finish(claimed, Job.State.SUCCESS)
    before = row_of(claimed)
    seen.revive("somebody")
    assert row_of(claimed) == before


def test_second_retry_is_refused_and_changes_nothing(api: APIClient, failed: Job) -> None:
    steer(api, failed, "retry")
    before = row_of(failed)
    assert steer(api, failed, "retry").status_code == 403
    assert row_of(failed) == before


def test_job_is_cancelled_and_retried_again_and_again(api: APIClient, job: Job) -> None:
    for _ in range(3):
        assert steer(api, job, "cancel").status_code == 200
        assert steer(api, job, "retry").status_code == 200
    assert kinds_of(job) == ["submitted", *["cancelled", "retried"] * 3]


def test_anonymous_retries_nothing(anonymous_api: APIClient, failed: Job) -> None:
    assert steer(anonymous_api, failed, "retry").status_code == 401
    assert states_of(failed) == ["failed"]


def test_failed_job_of_another_is_not_there(stranger_api: APIClient, failed: Job) -> None:
    assert steer(stranger_api, failed, "retry").status_code == 404
    assert states_of(failed) == ["failed"]


def test_internal_job_is_not_retried(api: APIClient, owner: User) -> None:
    job = submit(leaf(operation="test_internal"), owner)
    assert job.claim("worker:1")
    endings.finish(job, Job.State.FAILED)
    assert steer(api, job, "retry").status_code == 404
    with pytest.raises(Missing):
        retry_job(job.pk, owner)


def test_operator_retries_the_job_of_another(failed: Job, stranger: User) -> None:
    stranger.is_staff = True
    job = retry_job(failed.pk, stranger)
    assert (job.state, job.owner_id) == ("started", failed.owner_id)
    assert job.events[-1]["text"] == f"Retried by {stranger}."


# --- trees ------------------------------------------------------------------------------------


@pytest.fixture
def half_done(owner: User) -> Job:
    """A tree of which one branch succeeded, and one failed at its fourth level."""
    failing = leaf(5, "test_failing")
    root = submit(inner(inner(inner(failing, leaf(5))), inner(leaf(5))), owner)
    while Job.objects.claimable().exists():
        runner.run_next()
    return root


def test_only_what_did_not_succeed_waits_again(api: APIClient, half_done: Job) -> None:
    failed, success, started = "failed", "success", "started"
    assert states_of(half_done) == [failed, failed, failed, failed, success, success, success]
    kept = [row_of(job) for job in jobs_of(half_done)[4:]]
    steer(api, half_done, "retry")
    assert states_of(half_done) == [started] * 4 + [success] * 3
    assert [row_of(job) for job in jobs_of(half_done)[4:]] == kept


def test_retried_tree_ends_with_success(
    api: APIClient, half_done: Job, run_jobs: Callable[[], None]
) -> None:
    steer(api, half_done, "retry")
    Job.objects.filter(operation="test_failing").update(operation="test_noted")
    run_jobs()
    assert set(states_of(half_done)) == {"success"}
    assert {job.error for job in jobs_of(half_done)} == {""}


def test_retried_tree_that_fails_again_tells_why(
    api: APIClient, half_done: Job, run_jobs: Callable[[], None]
) -> None:
    steer(api, half_done, "retry")
    run_jobs()
    half_done.refresh_from_db()
    assert (half_done.state, half_done.error) == ("failed", "The disk is on fire.")
    assert kinds_of(half_done) == ["submitted", "failed", "retried", "failed"]


def test_sub_job_is_not_retried(api: APIClient, half_done: Job) -> None:
    before = [row_of(job) for job in jobs_of(half_done)]
    for job in jobs_of(half_done)[1:]:
        response = steer(api, job, "retry")
        assert faults_of(response) == [("permission", "state")]
        assert str(half_done.pk) in response.json()[0]["error_message"]
    assert [row_of(job) for job in jobs_of(half_done)] == before


def test_cancelled_branch_is_not_retried_while_the_tree_runs(api: APIClient, owner: User) -> None:
    root = submit(inner(inner(leaf()), leaf()), owner)
    steer(api, jobs_of(root)[1], "cancel")
    for job in jobs_of(root):
        assert steer(api, job, "retry").status_code == 403
    assert states_of(root) == ["started", "cancelled", "cancelled", "started"]


def test_cancelled_tree_of_four_levels_comes_back_whole(
    api: APIClient, owner: User, run_jobs: Callable[[], None]
) -> None:
    root = submit(inner(inner(inner(leaf(), leaf()))), owner)
    steer(api, root, "cancel")
    steer(api, root, "retry")
    assert states_of(root) == ["started"] * 5
    run_jobs()
    assert states_of(root) == ["success"] * 5


def test_retried_tree_is_cancelled_again(api: APIClient, half_done: Job) -> None:
    steer(api, half_done, "retry")
    steer(api, half_done, "cancel")
    assert states_of(half_done) == ["cancelled"] * 4 + ["success"] * 3


@pytest.mark.skipif("REDIS_URL" in os.environ, reason="the queue is in Redis")
def test_each_leaf_that_waits_again_gets_a_message(
    api: APIClient,
    half_done: Job,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    OrmQ.objects.all().delete()
    with django_capture_on_commit_callbacks(execute=True):
        steer(api, half_done, "retry")
    assert [message.name() for message in OrmQ.objects.all()] == [str(jobs_of(half_done)[3].pk)]


def test_operation_that_cannot_go_on_keeps_the_whole_tree_as_it_is(
    api: APIClient, half_done: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Any, job: Job) -> None:
        raise Refused("It is gone.", "resources")

    monkeypatch.setattr(operations.Failing, "revive", refuse)
    before = [row_of(job) for job in jobs_of(half_done)]
    response = steer(api, half_done, "retry")
    assert response.status_code == 403
    assert faults_of(response) == [("permission", "resources")]
    assert [row_of(job) for job in jobs_of(half_done)] == before


# --- what may be done -----------------------------------------------------------------------------


def test_allowed_actions_follow_the_state(owner: User, half_done: Job) -> None:
    assert [job.allowed_actions for job in jobs_of(half_done)] == [("retry",), *[()] * 6]
    retry_job(half_done.pk, owner)
    expected = [("cancel",)] * 4 + [()] * 3
    assert [job.allowed_actions for job in jobs_of(half_done)] == expected


def test_internal_job_allows_nothing(owner: User) -> None:
    assert submit(leaf(operation="test_internal"), owner).allowed_actions == ()


def test_log_tells_who_retried(failed: Job, owner: User) -> None:
    retry_job(failed.pk, owner)
    assert kinds_of(failed) == ["submitted", "claimed", "failed", "retried"]
    assert Job.objects.get().events[-1]["text"] == f"Retried by {owner}."
