"""Users take turns, however many jobs each of them has."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from jobs import endings, runner
from jobs.actions import cancel_job, retry_job, submit
from jobs.models import Job
from jobs.querysets import with_trees
from jobs.runtime import runtime_of
from tests.factories import UserFactory
from tests.operations import settled
from tests.service import uses_postgresql
from tests.trees import inner, jobs_of, leaf


@pytest.fixture
def users(db: None) -> list[User]:
    return UserFactory.create_batch(3)


def several(user: User, count: int) -> list[str]:
    """Submit jobs and return their keys."""
    return [str(submit(leaf(), user).pk) for _ in range(count)]


def run(count: int) -> None:
    for _ in range(count):
        assert runner.run_next()


def order() -> list[str]:
    """Run all that wait and return them in the order in which they ended."""
    settled.clear()
    while runner.run_next():
        pass
    return [job for job, _ in settled]


def test_one_job_of_a_second_user_is_second(users: list[User]) -> None:
    many, (one,) = several(users[0], 5), several(users[1], 1)
    assert order() == [many[0], one, *many[1:]]


def test_users_alternate(users: list[User]) -> None:
    a, b, c = (several(user, count) for user, count in zip(users, (2, 3, 1), strict=True))
    assert order() == [a[0], b[0], c[0], a[1], b[1], b[2]]


def test_jobs_of_one_user_keep_their_order(users: list[User]) -> None:
    keys = several(users[0], 5)
    assert order() == keys


def test_who_comes_later_joins_in_the_round_of_the_others(users: list[User]) -> None:
    a = several(users[0], 4)
    run(2)
    b = several(users[1], 3)
    assert order() == [a[2], b[0], a[3], b[1], b[2]]


def test_job_that_runs_for_long_gives_its_owner_and_others_no_older_round(
    users: list[User],
) -> None:
    a = several(users[0], 5)
    assert Job.objects.get(pk=a[0]).claim("worker:1")
    run(2)
    b = several(users[1], 3)
    assert order() == [a[3], b[0], a[4], b[1], b[2]]


def test_job_that_runs_is_its_owners_turn_in_the_round(users: list[User]) -> None:
    several(users[0], 4)
    run(3)
    assert Job.objects.unfinished().get().claim("worker:1")
    b, a = several(users[1], 2), several(users[0], 2)
    assert order() == [b[0], b[1], a[0], a[1]]


def test_each_disk_of_a_server_is_a_turn(users: list[User]) -> None:
    tree = submit(inner(leaf(), leaf(), leaf()), users[0])
    (one,) = several(users[1], 1)
    root, *disks = (str(job.pk) for job in jobs_of(tree))
    assert order() == [disks[0], one, disks[1], disks[2], root]


def test_retried_job_joins_in_the_round_of_the_others(users: list[User]) -> None:
    (first,) = several(users[0], 1)
    cancel_job(Job.objects.get(pk=first).pk, users[0])
    a = several(users[1], 3)
    run(1)
    retry_job(Job.objects.get(pk=first).pk, users[0])
    assert order() == [a[1], first, a[2]]


def test_internal_jobs_wait_for_no_turn(users: list[User]) -> None:
    several(users[0], 2)
    internal = submit(leaf(operation="test_internal"), users[0])
    assert order()[0] == str(internal.pk)


def test_place_in_the_queue_goes_by_turns(users: list[User]) -> None:
    several(users[0], 5)
    (one,) = several(users[1], 1)
    queue = runtime_of(with_trees([Job.objects.get(pk=one)])[0])["queue"]
    assert queue == {
        "position": 2,
        "reason": "All workers are busy, and 1 more job is first.",
    }


def test_failed_jobs_take_their_turn_too(users: list[User]) -> None:
    a, b = several(users[0], 2), several(users[1], 2)
    job = Job.objects.get(pk=a[0])
    assert job.claim("worker:1")
    endings.finish(job, Job.State.FAILED)
    assert order() == [b[0], a[1], b[1]]


@pytest.mark.skipif(uses_postgresql(), reason="the plans of SQLite")
def test_round_is_found_by_an_index_however_many_wait(users: list[User]) -> None:
    with CaptureQueriesContext(connection) as asked:
        submit(leaf(), users[0])
    selects = [query["sql"] for query in asked if query["sql"].startswith("SELECT")]
    asked_for_turns = [sql for sql in selects if '"turn"' in sql]
    indexes = [("job_unfinished", "job_turns"), ("job_leased",)]
    for sql, taken in zip(asked_for_turns, indexes, strict=True):
        with connection.cursor() as cursor:
            plan = str(cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall())
        assert all(index in plan for index in taken)
        assert "TEMP B-TREE" not in plan
