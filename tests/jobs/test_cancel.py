"""Cancelling: what ends, what stays, who may, and who wins when something else ends the job."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient

from accounts.models import User
from cloudjobs.api.exceptions import Missing
from jobs import endings, runner
from jobs.actions import cancel_job, submit
from jobs.exceptions import LeaseLost
from jobs.models import Job
from jobs.reports import Reported
from tests import operations
from tests.operations import settled
from tests.trees import inner, jobs_of, kinds_of, leaf, make_stale, row_of, states_of, steer
from tests.wire import API, assert_as_many, faults_of, job_json


@pytest.fixture
def deep(owner: User) -> Job:
    """A tree of four levels: root, branch, twig with two leaves; a leaf beside each of them."""
    return submit(inner(inner(inner(leaf(), leaf()), leaf()), leaf()), owner)


def test_waiting_job_is_cancelled(api: APIClient, job: Job) -> None:
    response = steer(api, job, "cancel")
    assert response.status_code == 200
    job.refresh_from_db()
    assert response.json() == job_json(job, state="cancelled")
    assert (job.lease_token, job.error, job.finished_at is None) == (None, "", False)
    assert settled == [(str(job.pk), "cancelled")]


def test_cancelled_job_is_not_run(job: Job, owner: User) -> None:
    cancel_job(job.pk, owner)
    runner.run_next()
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("cancelled", 0)


def test_running_job_is_cancelled(api: APIClient, claimed: Job) -> None:
    claimed.report(Reported(500, 400, "test", 7))
    assert steer(api, claimed, "cancel").json()["data"] == {"progress": 50}
    now = Job.objects.get()
    assert (now.state, now.lease_token, now.rate, now.cursor) == ("cancelled", None, None, 400)


def test_worker_of_a_cancelled_job_learns_it_from_its_report(claimed: Job, owner: User) -> None:
    cancel_job(claimed.pk, owner)
    before = row_of(claimed)
    with pytest.raises(LeaseLost):
        claimed.report(Reported(500, 400, "test"))
    assert row_of(claimed) == before


def test_success_that_comes_too_late_changes_nothing(claimed: Job, owner: User) -> None:
    cancel_job(claimed.pk, owner)
    before = row_of(claimed)
    with pytest.raises(LeaseLost), transaction.atomic():
        endings.finish(claimed, Job.State.SUCCESS)
    assert row_of(claimed) == before
    assert settled == [(str(claimed.pk), "cancelled")]


def test_cancelling_twice_answers_alike_and_changes_nothing(api: APIClient, job: Job) -> None:
    first = steer(api, job, "cancel")
    before = row_of(job)
    second = steer(api, job, "cancel")
    assert (second.status_code, second.json()) == (200, first.json())
    assert row_of(job) == before
    assert len(settled) == 1


@pytest.mark.parametrize("state", [Job.State.SUCCESS, Job.State.FAILED])
def test_job_that_ended_is_not_cancelled(api: APIClient, claimed: Job, state: Job.State) -> None:
    endings.finish(claimed, state)
    before = row_of(claimed)
    response = steer(api, claimed, "cancel")
    assert response.status_code == 403
    assert faults_of(response) == [("permission", "state")]
    assert row_of(claimed) == before


def test_leaf_that_ended_after_it_was_read_is_not_ended_again(claimed: Job) -> None:
    seen = Job.objects.get(pk=claimed.pk)
    endings.finish(claimed, Job.State.SUCCESS)
    before = row_of(claimed)
    assert not seen.end_from_outside(Job.State.CANCELLED)
    assert row_of(claimed) == before


@pytest.mark.parametrize("stranger_does", ["cancel", "retry"])
def test_job_of_another_is_not_there(stranger_api: APIClient, job: Job, stranger_does: str) -> None:
    before = row_of(job)
    response = steer(stranger_api, job, stranger_does)
    assert response.status_code == 404
    assert faults_of(response) == [("notexist", None)]
    assert row_of(job) == before


def test_sub_job_of_another_is_not_there(stranger_api: APIClient, deep: Job) -> None:
    assert {steer(stranger_api, job, "cancel").status_code for job in jobs_of(deep)} == {404}
    assert set(states_of(deep)) == {"started"}


def test_anonymous_cancels_nothing(anonymous_api: APIClient, job: Job) -> None:
    assert steer(anonymous_api, job, "cancel").status_code == 401
    job.refresh_from_db()
    assert job.state == "started"


def test_internal_job_is_not_there(api: APIClient, owner: User) -> None:
    job = submit(leaf(operation="test_internal"), owner)
    assert steer(api, job, "cancel").status_code == 404
    with pytest.raises(Missing):
        cancel_job(job.pk, owner)
    assert states_of(job) == ["started"]


def test_job_that_never_was_is_not_there(api: APIClient, owner: User) -> None:
    assert api.post(f"{API}/jobs/{uuid4()}/action/?do=cancel").status_code == 404
    with pytest.raises(Missing):
        cancel_job(uuid4(), owner)


@pytest.mark.parametrize("query", ["", "do=", "do=delete", "do=Cancel", "cancel"])
def test_other_action_is_refused(api: APIClient, job: Job, query: str) -> None:
    response = api.post(f"{API}/jobs/{job.pk}/action/?{query}")
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "do")]


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_only_a_post_cancels(api: APIClient, job: Job, method: str) -> None:
    assert getattr(api, method)(f"{API}/jobs/{job.pk}/action/?do=cancel").status_code == 405
    assert states_of(job) == ["started"]


def test_operator_cancels_the_job_of_another(job: Job, stranger: User) -> None:
    stranger.is_staff = True
    assert cancel_job(job.pk, stranger).state == "cancelled"


def test_operator_steers_by_the_api_only_what_is_his(
    stranger_api: APIClient, stranger: User, job: Job
) -> None:
    User.objects.filter(pk=stranger.pk).update(is_staff=True)
    stranger.refresh_from_db()
    assert steer(stranger_api, job, "cancel").status_code == 404
    assert states_of(job) == ["started"]


def test_stranger_cancels_nothing_by_the_action(job: Job, stranger: User) -> None:
    with pytest.raises(Missing):
        cancel_job(job.pk, stranger)
    assert states_of(job) == ["started"]


def test_operator_does_not_cancel_internal_jobs(stranger: User, owner: User) -> None:
    stranger.is_staff = True
    with pytest.raises(Missing):
        cancel_job(submit(leaf(operation="test_internal"), owner).pk, stranger)


# --- trees ------------------------------------------------------------------------------------


def test_whole_tree_is_cancelled_from_its_root(api: APIClient, deep: Job) -> None:
    answer = steer(api, deep, "cancel").json()
    assert set(states_of(deep)) == {"cancelled"}
    assert answer == api.get(f"{API}/jobs/{deep.pk}/").json()
    assert sorted(settled) == sorted((str(job.pk), "cancelled") for job in jobs_of(deep))


def test_branch_is_cancelled_and_the_rest_goes_on(
    api: APIClient, deep: Job, run_jobs: Callable[[], None]
) -> None:
    twig = jobs_of(deep)[2]
    assert steer(api, twig, "cancel").status_code == 200
    cancelled, started = "cancelled", "started"
    assert states_of(deep) == [started, started, *[cancelled] * 3, started, started]
    run_jobs()
    success = "success"
    assert states_of(deep) == [cancelled, cancelled, *[cancelled] * 3, success, success]


def test_leaf_is_cancelled_alone(api: APIClient, deep: Job) -> None:
    steer(api, jobs_of(deep)[3], "cancel")
    assert states_of(deep).count("cancelled") == 1
    assert states_of(deep)[3] == "cancelled"


def test_last_leaf_that_is_cancelled_ends_all_above_it(
    api: APIClient, owner: User, run_jobs: Callable[[], None]
) -> None:
    root = submit(inner(inner(inner(leaf()))), owner)
    steer(api, jobs_of(root)[3], "cancel")
    assert states_of(root) == ["cancelled"] * 4


def test_what_succeeded_stays_when_the_root_is_cancelled(api: APIClient, owner: User) -> None:
    root = submit(inner(leaf(5), leaf(5), leaf(5)), owner)
    runner.run_next()
    done = row_of(jobs_of(root)[1])
    steer(api, root, "cancel")
    assert states_of(root) == ["cancelled", "success", "cancelled", "cancelled"]
    assert row_of(jobs_of(root)[1]) == done


def test_failure_outweighs_the_cancelled(api: APIClient, owner: User) -> None:
    root = submit(inner(leaf(operation="test_failing"), leaf()), owner)
    runner.run_next()
    body = steer(api, root, "cancel").json()
    assert states_of(root) == ["failed", "failed", "cancelled"]
    assert body["data"]["error"] == "The disk is on fire."


def test_branch_that_ended_is_not_cancelled(api: APIClient, owner: User) -> None:
    root = submit(inner(inner(leaf()), leaf()), owner)
    runner.run_next()
    assert steer(api, jobs_of(root)[1], "cancel").status_code == 403
    assert states_of(root) == ["started", "success", "success", "started"]


def test_running_leaf_loses_its_lease_when_the_root_is_cancelled(owner: User) -> None:
    root = submit(inner(inner(leaf(9)), leaf(9)), owner)
    running = jobs_of(root)[2]
    assert running.claim("worker:1")
    cancel_job(root.pk, owner)
    with pytest.raises(LeaseLost), transaction.atomic():
        endings.finish(running, Job.State.SUCCESS)
    assert states_of(root) == ["cancelled"] * 4


def test_other_trees_are_left_alone(api: APIClient, deep: Job, owner: User) -> None:
    other = submit(inner(leaf(), leaf()), owner)
    steer(api, deep, "cancel")
    assert set(states_of(other)) == {"started"}


# --- log, leftovers, cost -----------------------------------------------------------------------


def test_log_tells_of_the_end(api: APIClient, claimed: Job) -> None:
    steer(api, claimed, "cancel")
    assert kinds_of(claimed) == ["submitted", "claimed", "cancelled"]
    last = Job.objects.get().events[-1]
    assert (last["text"], last["worker"]) == ("Cancelled.", "")


def test_log_of_an_inner_job_tells_of_the_end(api: APIClient, deep: Job) -> None:
    steer(api, deep, "cancel")
    assert {tuple(kinds_of(job)) for job in jobs_of(deep)} == {("submitted", "cancelled")}


@pytest.fixture
def discarded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The jobs whose leftovers are freed, in order."""
    freed: list[str] = []
    noted = operations.Noted
    monkeypatch.setattr(noted, "discard", lambda self, job: freed.append(str(job.pk)))
    return freed


def test_leftovers_are_freed_after_the_commit(
    job: Job,
    owner: User,
    discarded: list[str],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        cancel_job(job.pk, owner)
        assert discarded == []
    assert discarded == [str(job.pk)]


def test_worker_frees_what_it_wrote_after_the_job_was_cancelled(
    job: Job, owner: User, discarded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def be_cancelled(self: Any, job: Job, progress: Any) -> None:
        cancel_job(job.pk, owner)

    monkeypatch.setattr(operations.Noted, "run", be_cancelled)
    runner.run_next()
    job.refresh_from_db()
    assert (job.state, discarded) == ("cancelled", [str(job.pk)])


def test_nothing_is_freed_of_a_job_that_another_worker_has(
    claimed: Job, discarded: list[str]
) -> None:
    make_stale(claimed)
    assert Job.objects.get().claim("worker:2")
    runner.leave(claimed)
    assert discarded == []


def test_worker_that_cannot_free_what_it_left_goes_on(
    job: Job, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def be_cancelled(self: Any, job: Job, progress: Any) -> None:
        cancel_job(job.pk, owner)

    def be_away(self: Any, job: Job) -> None:
        raise OSError

    monkeypatch.setattr(operations.Noted, "run", be_cancelled)
    monkeypatch.setattr(operations.Noted, "ask", be_away)
    assert runner.run_next()
    assert not runner.run_next()


def test_nothing_is_freed_of_a_job_that_was_retried(
    job: Job, owner: User, api: APIClient, discarded: list[str]
) -> None:
    cancel_job(job.pk, owner)
    steer(api, job, "retry")
    endings.discard_cancelled(job)
    assert discarded == []


def test_leftovers_that_cannot_be_freed_are_no_error_of_the_request(
    api: APIClient,
    job: Job,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    def break_down(self: Any, job: Job) -> None:
        raise OSError("the disk is away")

    monkeypatch.setattr(operations.Noted, "discard", break_down)
    with django_capture_on_commit_callbacks(execute=True):
        assert steer(api, job, "cancel").status_code == 200
    assert states_of(job) == ["cancelled"]


def test_cancel_looks_at_a_parent_once_however_many_children_end(owner: User) -> None:
    def asked_of_children(count: int) -> list[str]:
        root = submit(inner(*[leaf() for _ in range(count)]), owner)
        with CaptureQueriesContext(connection) as captured:
            assert cancel_job(root.pk, owner).state == "cancelled"
        return [query["sql"] for query in captured if '"parent_id" =' in query["sql"]]

    assert_as_many(asked_of_children(2), asked_of_children(20))
