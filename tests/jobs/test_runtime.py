"""What `/jobs/{uuid}/runtime/` tells in each phase of a job and of a tree."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from jobs import endings, recovery, runner, runtime
from jobs.actions import cancel_job, retry_job, submit
from jobs.models import Job
from jobs.querysets import with_trees
from jobs.reports import Failure, Reported
from tests.trees import inner, jobs_of, leaf, make_stale, wear_out
from tests.wire import API, assert_as_many, faults_of, queries_of, time_json

NEXT = "The next free worker takes it."
SILENT = "Its worker was not heard of any more; the next free one goes on with it."


def path(job: Job) -> str:
    return f"{API}/jobs/{job.pk}/runtime/"


def shown(api: APIClient, job: Job) -> dict[str, Any]:
    response = api.get(path(job))
    assert response.status_code == 200
    return response.json()


def runtime_of(job: Job, **differing: Any) -> dict[str, Any]:
    """Return the runtime of a job that waits as the next; `differing` keys replace these."""
    return {
        "phase": "waiting",
        "bytes_done": 0,
        "bytes_total": job.weight,
        "rate": None,
        "eta": None,
        "method": "",
        "attempts": 0,
        "worker": "",
        "queue": {"position": 1, "reason": NEXT},
        "started_at": None,
        "finished_at": None,
        "error": None,
        **differing,
    }


def started(job: Job) -> str:
    moment = Job.objects.get(pk=job.pk).started_at
    return time_json(moment)


def running(job: Job, **differing: Any) -> dict[str, Any]:
    """Return the runtime of a job that one worker has."""
    parts = {"phase": "copying", "queue": None, "attempts": 1, "worker": "worker:1"}
    return runtime_of(job, **parts | {"started_at": started(job)} | differing)


def ended(job: Job, state: str, seconds: int) -> dict[str, Any]:
    """Let a job have ended in that state so many seconds after it was claimed."""
    begun = timezone.now() - timedelta(seconds=seconds + 5)
    end = begun + timedelta(seconds=seconds)
    Job.objects.filter(pk=job.pk).update(started_at=begun, finished_at=end)
    times = {"started_at": time_json(begun), "finished_at": time_json(end)}
    return runtime_of(job, phase=state, queue=None, attempts=1, **times)


def test_job_that_waits(api: APIClient, job: Job) -> None:
    assert shown(api, job) == runtime_of(job)


def test_job_that_was_just_claimed(api: APIClient, claimed: Job) -> None:
    assert shown(api, claimed) == running(claimed)


def test_job_that_is_copied(api: APIClient, claimed: Job) -> None:
    claimed.report(Reported(400, 300, "reflink", 50))
    expected = running(claimed, bytes_done=400, method="reflink", rate=50, eta=12)
    assert shown(api, claimed) == expected


def test_job_whose_rate_is_nothing_has_no_end_in_sight(api: APIClient, claimed: Job) -> None:
    claimed.report(Reported(400, 300, "reflink", 0))
    assert shown(api, claimed) == running(claimed, bytes_done=400, method="reflink", rate=0)


def test_job_whose_bytes_are_all_moved(api: APIClient, claimed: Job) -> None:
    claimed.report(Reported(1000, 900, "test", 50))
    expected = running(claimed, phase="finishing", bytes_done=1000, method="test", rate=50, eta=0)
    assert shown(api, claimed) == expected


def test_more_bytes_than_expected_take_no_negative_time(api: APIClient, claimed: Job) -> None:
    claimed.report(Reported(1500, 900, "test", 50))
    assert (shown(api, claimed)["phase"], shown(api, claimed)["eta"]) == ("finishing", 0)


def test_job_whose_worker_fell_silent(api: APIClient, claimed: Job) -> None:
    claimed.report(Reported(400, 300, "test", 50))
    make_stale(claimed)
    expected = running(
        claimed,
        phase="waiting",
        bytes_done=400,
        method="test",
        worker="",
        queue={"position": 1, "reason": SILENT},
    )
    assert shown(api, claimed) == expected


def test_job_that_was_given_back(api: APIClient, claimed: Job) -> None:
    claimed.report(Reported(400, 300, "test", 50))
    claimed.release()
    expected = runtime_of(claimed, bytes_done=400, method="test", started_at=started(claimed))
    assert shown(api, claimed) == expected


def test_job_that_succeeded(api: APIClient, claimed: Job) -> None:
    endings.finish(claimed, Job.State.SUCCESS, reported=Reported(900, 1000, "test"))
    expected = ended(claimed, "success", 10) | {"bytes_done": 1000, "rate": 100, "method": "test"}
    assert shown(api, claimed) == expected


def test_job_that_failed(api: APIClient, claimed: Job) -> None:
    claimed.report(Reported(400, 300, "test", 50))
    endings.finish(claimed, Job.State.FAILED, Failure("Full.", "no_space", "Delete."))
    error = {"code": "no_space", "message": "Full.", "hint": "Delete."}
    parts = {"bytes_done": 400, "rate": 40, "method": "test", "error": error}
    expected = ended(claimed, "failed", 10) | parts
    assert shown(api, claimed) == expected


def test_job_that_cost_its_workers(api: APIClient, job: Job) -> None:
    wear_out(job)
    recovery.sweep()
    lost = endings.WORKER_LOST
    error = {"code": lost.code, "message": lost.message, "hint": lost.hint}
    assert shown(api, job)["error"] == error


def test_job_that_was_cancelled_before_it_ran(api: APIClient, job: Job, owner: User) -> None:
    cancel_job(job.pk, owner)
    end = time_json(Job.objects.get().finished_at)
    assert shown(api, job) == runtime_of(job, phase="cancelled", queue=None, finished_at=end)


def test_job_that_was_cancelled_while_it_ran(api: APIClient, claimed: Job, owner: User) -> None:
    claimed.report(Reported(400, 300, "test", 50))
    cancel_job(claimed.pk, owner)
    parts = {"bytes_done": 400, "rate": 40, "method": "test"}
    expected = ended(claimed, "cancelled", 10) | parts
    assert shown(api, claimed) == expected


def test_job_that_was_retried_waits(api: APIClient, claimed: Job, owner: User) -> None:
    endings.finish(claimed, Job.State.FAILED, Failure("Full.", "no_space", "Delete."))
    retry_job(claimed.pk, owner)
    assert shown(api, claimed) == runtime_of(claimed, attempts=1)


# --- queue ----------------------------------------------------------------------------------------


def reason(ahead: str) -> str:
    return f"All workers are busy, and {ahead} first."


def test_place_counts_who_is_before(api: APIClient, owner: User, stranger: User) -> None:
    jobs = [submit(leaf(), user) for user in (stranger, owner, owner)]
    assert [shown(api, job)["queue"] for job in jobs[1:]] == [
        {"position": 2, "reason": reason("1 more job is")},
        {"position": 3, "reason": reason("2 more jobs are")},
    ]


def test_internal_jobs_are_before(api: APIClient, job: Job, stranger: User) -> None:
    submit(leaf(operation="test_internal"), stranger)
    assert shown(api, job)["queue"]["position"] == 2


def test_jobs_that_run_are_not_in_the_queue(api: APIClient, owner: User) -> None:
    first, second = submit(leaf(), owner), submit(leaf(), owner)
    assert first.claim("worker:1")
    assert shown(api, second)["queue"] == {"position": 1, "reason": NEXT}


def test_jobs_whose_worker_fell_silent_are_before_again(api: APIClient, owner: User) -> None:
    first, second = submit(leaf(), owner), submit(leaf(), owner)
    assert first.claim("worker:1")
    make_stale(first)
    assert shown(api, second)["queue"]["position"] == 2


def test_place_falls_as_others_are_run(api: APIClient, owner: User) -> None:
    jobs, seen = [submit(leaf(), owner) for _ in range(4)], []
    for _ in jobs[1:]:
        seen.append(shown(api, jobs[-1])["queue"]["position"])
        runner.run_next()
    assert seen == [4, 3, 2]


def test_inner_jobs_are_not_in_the_queue(api: APIClient, owner: User) -> None:
    submit(inner(inner(leaf())), owner)
    assert shown(api, submit(leaf(), owner))["queue"]["position"] == 2


# --- trees ----------------------------------------------------------------------------------------


@pytest.fixture
def tree(owner: User) -> Job:
    return submit(inner(inner(leaf(100), leaf(200)), leaf(700)), owner)


def test_tree_that_waits_shows_its_first_leaf(api: APIClient, tree: Job) -> None:
    assert shown(api, tree) == runtime_of(tree, bytes_total=1000)


def test_sums_of_a_tree(api: APIClient, tree: Job) -> None:
    _, branch, first, second, third = jobs_of(tree)
    for number, job in enumerate((first, third), 1):
        assert job.claim(f"worker:{number}")
    first.report(Reported(50, 0, "reflink", 10))
    third.report(Reported(350, 0, "read_write", 30))
    parts = {"bytes_done": 400, "rate": 40, "eta": 15, "method": "read_write, reflink"}
    expected = running(first, bytes_total=1000, worker="worker:1, worker:2", **parts)
    assert shown(api, tree) == expected
    parts = {"bytes_done": 50, "rate": 10, "eta": 25, "method": "reflink"}
    assert shown(api, branch) == running(first, bytes_total=300, **parts)
    assert shown(api, second)["phase"] == "waiting"


def test_tree_of_which_one_leaf_runs_is_not_in_the_queue(api: APIClient, tree: Job) -> None:
    assert jobs_of(tree)[4].claim("worker:1")
    assert (shown(api, tree)["queue"], shown(api, tree)["phase"]) == (None, "copying")
    assert shown(api, jobs_of(tree)[1])["queue"] is not None


def test_tree_of_which_a_leaf_ended_and_the_others_wait(api: APIClient, tree: Job) -> None:
    first = jobs_of(tree)[2]
    assert first.claim("worker:1")
    endings.finish(first, Job.State.SUCCESS)
    expected = runtime_of(
        tree, bytes_total=1000, bytes_done=100, attempts=1, started_at=started(first)
    )
    assert shown(api, tree) == expected


def test_tree_that_succeeded(api: APIClient, tree: Job, run_jobs: Callable[[], None]) -> None:
    run_jobs()
    tree.refresh_from_db()
    begun = tree.finished_at - timedelta(seconds=10)
    Job.objects.filter(parent__isnull=False).update(started_at=begun)
    expected = runtime_of(
        tree,
        phase="success",
        bytes_done=1000,
        bytes_total=1000,
        rate=100,
        method="test",
        attempts=1,
        queue=None,
        started_at=time_json(begun),
        finished_at=time_json(tree.finished_at),
    )
    assert shown(api, tree) == expected


def test_tree_that_failed_tells_of_its_leaf(api: APIClient, tree: Job) -> None:
    for job in jobs_of(tree):
        if job.is_leaf:
            assert job.claim("worker:1")
            state = Job.State.FAILED if job.weight == 200 else Job.State.SUCCESS
            failure = Failure("Full.", "no_space", "Delete.") if job.weight == 200 else Failure()
            endings.finish(job, state, failure)
    error = {"code": "no_space", "message": "Full.", "hint": "Delete."}
    errors = [shown(api, job)["error"] for job in jobs_of(tree)]
    assert errors == [error, error, None, error, None]


def test_tree_that_is_purged_meanwhile_has_a_runtime(tree: Job) -> None:
    root = Job.objects.get(pk=tree.pk)
    Job.objects.all().delete()
    [root] = with_trees([root])
    assert runtime.runtime_of(root)["attempts"] == 0


def test_time_between_an_end_and_a_retry_is_not_counted(api: APIClient, tree: Job) -> None:
    """The first leaf ran a day before the others, which ran side by side."""
    end = timezone.now()
    leaves = [job for job in jobs_of(tree) if job.is_leaf]
    for job, ago, seconds in zip(leaves, (86400, 5, 5), (3, 3, 5), strict=True):
        begun = end - timedelta(seconds=ago)
        times = {"started_at": begun, "finished_at": begun + timedelta(seconds=seconds)}
        Job.objects.filter(pk=job.pk).update(state="success", bytes_done=job.weight, **times)
    Job.objects.filter(pk=tree.pk).update(state="success", finished_at=end)
    assert shown(api, tree)["rate"] == 1000 / (3 + 5)


def test_speed_of_a_job_that_was_verified_is_that_of_copying_and_comparing(
    api: APIClient, claimed: Job
) -> None:
    end = timezone.now()
    times = {"started_at": end - timedelta(seconds=10), "finished_at": end}
    ended = {"state": "success", "bytes_done": claimed.weight, "verified": 1, **times}
    Job.objects.filter(pk=claimed.pk).update(**ended)
    assert shown(api, claimed)["rate"] == 2 * claimed.weight / 10


def test_part_that_was_verified_has_no_time_left(api: APIClient, owner: User) -> None:
    """Its worker does not report the last bytes that it compared: success says it."""
    root = submit(inner(leaf(1000, verify=True), leaf(1000, verify=True)), owner)
    _, first, second = jobs_of(root)
    assert first.claim("worker:1")
    assert second.claim("worker:2")
    first.report(Reported(1000, 1000, "test", verified=600))
    first.end(Job.State.SUCCESS)
    second.report(Reported(1000, 1000, "test", 100, verified=200))
    assert shown(api, root)["eta"] == 8


# --- who, and at what cost ------------------------------------------------------------------------


def test_runtime_is_only_for_the_owner(
    stranger_api: APIClient, anonymous_api: APIClient, tree: Job
) -> None:
    for job in jobs_of(tree):
        response = stranger_api.get(path(job))
        assert (response.status_code, faults_of(response)) == (404, [("notexist", None)])
        assert anonymous_api.get(path(job)).status_code == 401


def test_internal_job_has_none(api: APIClient, owner: User) -> None:
    assert api.get(path(submit(leaf(operation="test_internal"), owner))).status_code == 404


def test_job_that_never_was_has_none(api: APIClient) -> None:
    assert api.get(f"{API}/jobs/{uuid4()}/runtime/").status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_runtime_is_only_read(api: APIClient, job: Job, method: str) -> None:
    assert getattr(api, method)(path(job)).status_code == 405


def test_runtime_costs_as_many_queries_for_two_leaves_as_for_twenty(
    api: APIClient, owner: User
) -> None:
    small = submit(inner(*[leaf(1)] * 2), owner)
    large = submit(inner(*[inner(leaf(1), leaf(1))] * 10), owner)
    few = queries_of(lambda: api.get(path(small)))
    assert len(few) <= 3, few
    assert_as_many(few, queries_of(lambda: api.get(path(large))))


def test_job_that_runs_is_told_by_one_query(api: APIClient, claimed: Job) -> None:
    assert len(queries_of(lambda: api.get(path(claimed)))) == 1


@pytest.mark.parametrize("address", ["", "{}/", "{}/runtime/"])
def test_log_stays_in_the_database(api: APIClient, tree: Job, address: str) -> None:
    sql = queries_of(lambda: api.get(f"{API}/jobs/{address.format(tree.pk)}"))
    assert not [query for query in sql if '"events"' in query or '"samples"' in query]
