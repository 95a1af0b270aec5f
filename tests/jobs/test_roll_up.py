from collections.abc import Callable

import pytest

from accounts.models import User
from jobs import endings
from jobs.actions import submit
from jobs.models import Job
from jobs.reports import Failure, Reported
from tests.operations import settled
from tests.trees import inner, jobs_of, leaf

KIB, MIB = 1024, 1024**2


def root_of(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def finish(job: Job, state: str, error: str = "") -> None:
    assert job.claim("worker:1")
    endings.finish(job, Job.State(state), Failure(error))


def test_progress_is_weighted_by_bytes(owner: User) -> None:
    root = submit(inner(leaf(3 * MIB), leaf(MIB)), owner)
    _, large, small = jobs_of(root)
    assert small.claim("worker:1")
    small.report(Reported(MIB, MIB, "test"))
    assert root_of(root).progress == 25
    assert large.claim("worker:1")
    large.report(Reported(MIB, MIB, "test"))
    assert root_of(root).progress == 50


def test_job_without_bytes_counts_a_little(owner: User) -> None:
    root = submit(inner(leaf(64 * KIB), leaf()), owner)
    finish(jobs_of(root)[2], "success")
    assert root_of(root).progress == 50


def test_progress_reaches_up_through_four_levels(owner: User) -> None:
    root = submit(inner(inner(inner(leaf(4 * MIB)), leaf(4 * MIB)), leaf(8 * MIB)), owner)
    deepest = jobs_of(root)[3]
    assert deepest.level == 3
    assert deepest.claim("worker:1")
    deepest.report(Reported(2 * MIB, 0, "test"))
    assert [job.progress for job in jobs_of(root)] == [12, 25, 50, 50, 0, 0]


def test_progress_stays_below_hundred_until_success(owner: User) -> None:
    root = submit(inner(leaf(MIB), leaf(MIB)), owner)
    for job in jobs_of(root)[1:]:
        assert job.claim("worker:1")
        job.report(Reported(MIB, MIB, "test"))
    assert [job.progress for job in jobs_of(root)] == [99, 99, 99]
    for job in jobs_of(root)[1:]:
        endings.finish(job, Job.State.SUCCESS)
    assert [job.progress for job in jobs_of(root)] == [100, 100, 100]


def test_more_bytes_than_expected_are_no_more_than_all(owner: User) -> None:
    root = submit(inner(leaf(MIB), leaf(MIB)), owner)
    child = jobs_of(root)[1]
    assert child.claim("worker:1")
    child.report(Reported(5 * MIB, 0, "test"))
    assert [job.progress for job in jobs_of(root)] == [50, 99, 0]


def test_progress_never_falls_however_the_jobs_go_on(owner: User) -> None:
    root = submit(inner(inner(leaf(MIB), leaf(3 * MIB)), leaf(), leaf(2 * MIB)), owner)
    seen = [0]
    for child in jobs_of(root):
        if child.is_leaf:
            assert child.claim("worker:1")
            for share in (0.2, 0.9, 0.1, 0.5):
                child.report(Reported(int(child.weight * share), 0, "test"))
                seen.append(root_of(root).progress)
            endings.finish(child, Job.State.SUCCESS)
            seen.append(root_of(root).progress)
    assert seen == sorted(seen)
    assert seen[-1] == 100


def test_failed_child_leaves_the_progress_where_it_was(owner: User) -> None:
    root = submit(inner(leaf(MIB), leaf(MIB)), owner)
    _, first, second = jobs_of(root)
    assert first.claim("worker:1")
    first.report(Reported(MIB // 2, 0, "test"))
    endings.finish(first, Job.State.FAILED, Failure("no"))
    finish(second, "success")
    root = root_of(root)
    assert (root.state, root.progress) == ("failed", 75)


def test_parent_ends_only_with_its_last_child(owner: User) -> None:
    root = submit(inner(leaf(), leaf(), leaf()), owner)
    _, *children = jobs_of(root)
    for child in children[:2]:
        finish(child, "success")
        assert root_of(root).state == "started"
    finish(children[2], "success")
    root = root_of(root)
    assert root.state == "success"
    assert root.finished_at is not None


def test_every_level_ends_with_the_last_leaf(owner: User, run_jobs: Callable[[], None]) -> None:
    root = submit(inner(inner(inner(leaf())), leaf()), owner)
    run_jobs()
    assert {job.state for job in jobs_of(root)} == {"success"}
    assert sorted(settled) == sorted((str(job.pk), "success") for job in jobs_of(root))


def test_branch_ends_before_its_root(owner: User) -> None:
    root = submit(inner(inner(leaf()), leaf()), owner)
    finish(jobs_of(root)[2], "success")
    assert [job.state for job in jobs_of(root)] == ["started", "success", "success", "started"]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["success", "success"], "success"),
        (["success", "failed"], "failed"),
        (["failed", "success"], "failed"),
        (["failed", "failed"], "failed"),
        (["success", "cancelled"], "cancelled"),
        (["cancelled", "cancelled"], "cancelled"),
        (["cancelled", "failed"], "failed"),
        (["success", "cancelled", "failed"], "failed"),
    ],
)
def test_outcome_follows_from_the_children(owner: User, states: list[str], expected: str) -> None:
    root = submit(inner(*[leaf()] * len(states)), owner)
    for child, state in zip(jobs_of(root)[1:], states, strict=True):
        finish(child, state)
    assert root_of(root).state == expected
    assert settled[-1] == (str(root.pk), expected)


def test_outcome_of_a_branch_is_passed_on(owner: User) -> None:
    root = submit(inner(inner(leaf()), leaf()), owner)
    jobs = jobs_of(root)
    finish(jobs[2], "failed", "no")
    finish(jobs[3], "success")
    assert [job.state for job in jobs_of(root)] == ["failed", "failed", "failed", "success"]
    assert [job.error for job in jobs_of(root)] == ["no", "no", "no", ""]


def test_first_failure_is_the_one_told(owner: User) -> None:
    root = submit(inner(leaf(), leaf(), leaf()), owner)
    _, first, second, third = jobs_of(root)
    finish(third, "failed", "third")
    finish(second, "failed", "second")
    finish(first, "success")
    assert root_of(root).error == "second"


def test_failure_of_one_child_lets_the_others_go_on(
    owner: User, run_jobs: Callable[[], None]
) -> None:
    root = submit(
        inner(leaf(operation="test_failing"), leaf(operation="test_breaking"), leaf()), owner
    )
    run_jobs()
    assert [job.state for job in jobs_of(root)] == ["failed", "failed", "failed", "success"]
    assert root_of(root).error == "The disk is on fire."


def test_parent_that_ended_meanwhile_is_not_ended_again(owner: User) -> None:
    root = submit(inner(leaf()), owner)
    child = jobs_of(root)[1]
    Job.objects.filter(pk=root.pk).update(state="cancelled", error="by hand")
    finish(child, "success")
    root = root_of(root)
    assert (root.state, root.error) == ("cancelled", "by hand")
    assert settled == [(str(child.pk), "success")]


def test_parent_changes_when_its_last_child_ends(owner: User) -> None:
    root = submit(inner(leaf()), owner)
    Job.objects.update(last_modified=root.created.replace(year=2014))
    finish(jobs_of(root)[1], "success")
    assert root_of(root).last_modified.year > 2014
