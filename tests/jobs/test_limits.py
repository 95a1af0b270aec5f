"""Limits of jobs that run at once: of a user, and of a lane such as a storage host."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from accounts.models import User
from jobs import recovery, runner
from jobs.actions import submit
from jobs.limits import is_held_back
from jobs.models import Job
from jobs.querysets import with_trees
from jobs.runtime import runtime_of
from jobs.tasks import run_job
from tests.factories import UserFactory
from tests.operations import settled
from tests.service import uses_postgresql
from tests.trees import inner, jobs_of, leaf, make_stale

LANE = "zadara-1"
Limit = Callable[[str, int], None]


@pytest.fixture
def users(db: None) -> list[User]:
    return UserFactory.create_batch(3)


@pytest.fixture
def limit(settings: Settings) -> Limit:
    """Limit the jobs of each user, or those on a storage host."""

    def limit(what: str, most: int) -> None:
        if what == "user":
            settings.JOBS_PER_USER = most
        else:
            hosts: dict[str, Any] = settings.STORAGE_HOSTS
            settings.STORAGE_HOSTS = hosts | {what: hosts[what] | {"jobs": most}}

    return limit


def several(user: User, count: int, **parts: Any) -> list[str]:
    """Submit jobs and return their keys."""
    return [str(submit(leaf(**parts), user).pk) for _ in range(count)]


def claimed() -> list[str]:
    """Let ever more workers come until one finds nothing to do; return what they took, in order."""
    jobs = iter(runner.claim_next, None)
    return [str(job.pk) for job in jobs if job]


def end(*keys: str) -> None:
    for job in Job.objects.filter(pk__in=keys):
        runner.finish_surely(job, Job.State.SUCCESS, runner.NO_FAILURE, None)


def queue_of(key: str) -> Any:
    return runtime_of(with_trees([Job.objects.get(pk=key)])[0])["queue"]


def test_nothing_is_limited_unless_asked_for(users: list[User]) -> None:
    keys = several(users[0], 5, lane=LANE)
    assert claimed() == keys


def test_user_has_no_more_jobs_running_than_may(users: list[User], limit: Limit) -> None:
    limit("user", 2)
    keys = several(users[0], 5)
    assert claimed() == keys[:2]


def test_others_go_before_who_has_enough(users: list[User], limit: Limit) -> None:
    limit("user", 1)
    a, b = several(users[0], 3), several(users[1], 2)
    assert claimed() == [a[0], b[0]]


def test_end_of_a_job_makes_room_for_the_next_one(users: list[User], limit: Limit) -> None:
    limit("user", 1)
    a, b = several(users[0], 3), several(users[1], 2)
    claimed()
    end(a[0])
    assert claimed() == [a[1]]
    end(a[1], b[0])
    assert claimed() == [b[1], a[2]]


def test_worker_that_goes_on_finds_the_room_that_it_made(users: list[User], limit: Limit) -> None:
    limit("user", 1)
    keys = several(users[0], 4)
    runner.run_waiting()
    assert [job for job, _ in settled[-4:]] == keys


def test_lane_has_no_more_jobs_running_than_may(users: list[User], limit: Limit) -> None:
    limit(LANE, 2)
    a, b = several(users[0], 2, lane=LANE), several(users[1], 2, lane=LANE)
    other = several(users[2], 2, lane="dssd-1")
    assert claimed() == [a[0], b[0], *other]
    end(b[0])
    assert claimed() == [a[1]]


def test_both_limits_hold_together(users: list[User], limit: Limit) -> None:
    limit("user", 2)
    limit(LANE, 1)
    a = several(users[0], 2, lane=LANE)
    more = several(users[0], 2)
    b = several(users[1], 1, lane=LANE)
    assert claimed() == [a[0], more[0]]
    end(a[0])
    assert claimed() == [b[0], more[1]]


def test_internal_jobs_have_no_limit_and_do_not_count(users: list[User], limit: Limit) -> None:
    limit("user", 1)
    internal = several(users[0], 3, operation="test_internal")
    shown = several(users[0], 2)
    assert claimed() == [*internal, shown[0]]


def test_each_disk_of_a_server_counts(users: list[User], limit: Limit) -> None:
    limit("user", 2)
    _, *disks = jobs_of(submit(inner(leaf(), leaf(), leaf()), users[0]))
    assert claimed() == [str(disk.pk) for disk in disks[:2]]


def test_job_whose_worker_died_makes_room(users: list[User], limit: Limit) -> None:
    limit("user", 1)
    keys = several(users[0], 2)
    claimed()
    make_stale(Job.objects.get(pk=keys[0]))
    assert claimed() == [keys[0]]


def test_who_comes_later_does_not_join_the_rounds_of_who_has_enough(
    users: list[User], limit: Limit
) -> None:
    """Else a newcomer would have all the rounds first that the others had long ago."""
    limit("user", 1)
    several(users[0], 9)
    b = several(users[1], 9)
    claimed()
    for key in b[:4]:
        end(key)
        claimed()
    several(users[2], 9)
    first = Job.objects.filter(owner=users[2]).order_by("turn").first()
    assert first is not None
    assert first.turn == Job.objects.get(pk=b[4]).turn


@pytest.mark.parametrize(
    ("what", "most", "reason"),
    [
        ("user", 1, "The limit of running jobs per user, 1, is reached"),
        (LANE, 1, f"The limit of running jobs on {LANE}, 1, is reached"),
    ],
)
def test_job_that_is_held_back_says_why(
    users: list[User], limit: Limit, what: str, most: int, reason: str
) -> None:
    limit(what, most)
    keys = several(users[0], 2, lane=LANE)
    claimed()
    assert queue_of(keys[1])["reason"] == f"{reason}; it goes on when one of them has ended."


def test_message_of_a_job_that_is_held_back_wakes_nobody(users: list[User], limit: Limit) -> None:
    limit("user", 1)
    keys = several(users[0], 2)
    claimed()
    several(users[1], 1)
    run_job(keys[1])
    assert Job.objects.running().count() == 1
    assert [is_held_back(Job.objects.get(pk=key).pk) for key in keys] == [True, True]


def test_message_of_a_job_that_may_run_wakes_a_worker(users: list[User], limit: Limit) -> None:
    limit("user", 1)
    several(users[0], 2)
    claimed()
    (other,) = several(users[1], 1)
    run_job(other)
    assert Job.objects.get(pk=other).state == Job.State.SUCCESS


def test_sweep_queues_nothing_for_what_is_held_back(users: list[User], limit: Limit) -> None:
    limit("user", 1)
    several(users[0], 5)
    claimed()
    several(users[1], 1)
    assert recovery.queue_missing() <= 1


def test_limit_below_zero_is_an_error(limit: Limit) -> None:
    limit("user", -1)
    assert [error.id for error in run_checks() if error.id == "jobs.E003"] == ["jobs.E003"]


@pytest.mark.skipif(uses_postgresql(), reason="the plans of SQLite")
def test_what_runs_is_found_by_an_index(users: list[User], limit: Limit) -> None:
    limit("user", 1)
    several(users[0], 3)
    claimed()
    with CaptureQueriesContext(connection) as asked:
        runner.claim_next()
    plans = [plan_of(query["sql"]) for query in asked if query["sql"].startswith("SELECT")]
    assert ["job_leased" in plans[0], "job_unfinished" in plans[1]] == [True, True]
    assert "USE TEMP B-TREE FOR ORDER BY" not in plans[1]


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        return str(cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall())


@pytest.mark.django_db(transaction=True)
def test_workers_that_come_at_once_take_no_job_too_many(limit: Limit) -> None:
    limit("user", 3)
    keys = several(UserFactory(), 12)
    together = Barrier(8)

    def come(_: int) -> bool:
        try:
            connection.ensure_connection()
            together.wait()
            return runner.claim_next() is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as workers:
        took = list(workers.map(come, range(8)))
    assert took.count(True) == 3
    assert Job.objects.running().filter(pk__in=keys).count() == 3
