"""The queries that run all the time find what they look for by an index, however long the history.

SQLite decides by its rules alone; PostgreSQL by what the tables have, so it gets a history here.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from benchmarks.history import make_history
from jobs import listing, recovery
from jobs.listed import columns_of
from jobs.models import Job
from tests.service import uses_postgresql

WHILE_UNFINISHED = ("job_unfinished", "job_turns", "job_leased", "job_waiting")


@pytest.fixture(autouse=True)
def history(owner: User, stranger: User) -> None:
    """Let PostgreSQL know of 2,000 trees that have ended, some of them the owner's, and of ten
    that wait.
    """
    if uses_postgresql():
        for hours in range(1, 21):
            ended = timezone.now() - timedelta(hours=hours)
            make_history(owner.pk, 5, 1, ended=ended)
            make_history(stranger.pk, 95, 1, ended=ended)
        make_history(owner.pk, 10, 1, ended=None)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE jobs_job")


def plan_of(jobs: Any) -> str:
    return str(jobs.explain()).replace('"', "")


def is_sorted_by_its_index(plan: str) -> bool:
    return not any(sorting in plan for sorting in ("TEMP B-TREE", "Sort"))


def mine(owner: User) -> Any:
    return Job.objects.roots().visible().filter(owner=owner)


def test_page_of_the_api_comes_sorted_out_of_its_index(owner: User) -> None:
    plan = plan_of(columns_of(mine(owner)).order_by("-last_modified", "pk")[:20])
    assert "job_list" in plan
    assert is_sorted_by_its_index(plan)


def test_page_of_the_dashboard_comes_sorted_out_of_its_index(owner: User) -> None:
    plan = plan_of(listing.newest_first(mine(owner))[:50])
    assert "job_page" in plan
    assert is_sorted_by_its_index(plan)


def test_last_failures_come_sorted_out_of_their_index(owner: User) -> None:
    plan = plan_of(listing.failed_lately(owner)[:5])
    assert "job_failures" in plan
    assert is_sorted_by_its_index(plan)


@pytest.mark.skipif(uses_postgresql(), reason="counts in an index only what was vacuumed")
def test_jobs_of_a_list_are_counted_in_an_index(owner: User) -> None:
    plan = plan_of(mine(owner).order_by().values("owner"))
    assert "USING COVERING INDEX job_page" in plan


def test_one_job_is_found_by_its_key(owner: User) -> None:
    plan = plan_of(Job.objects.filter(pk=owner.pk))
    assert any(key in plan for key in ("sqlite_autoindex_jobs_job_1", "jobs_job_pkey"))


@pytest.mark.parametrize("which", ["claimable", "exhausted", "running"])
def test_jobs_at_work_and_waiting_are_found_without_the_history(db: None, which: str) -> None:
    plan = plan_of(getattr(Job.objects, which)().order_by())
    assert any(index in plan for index in WHILE_UNFINISHED)


def test_next_job_comes_sorted_out_of_its_index(db: None) -> None:
    waiting = Job.objects.claimable().order_by("-is_internal", "turn", "queued_at")
    plan = plan_of(waiting[:1])
    assert "job_unfinished" in plan
    assert is_sorted_by_its_index(plan)


def test_purge_finds_the_oldest_trees_by_when_they_ended(db: None) -> None:
    old = Job.objects.roots().finished_before(timezone.now()).order_by("finished_at")
    plan = plan_of(old.values_list("tree_id")[:1000])
    assert "job_history" in plan
    assert is_sorted_by_its_index(plan)


def test_tree_is_found_by_its_number(db: None) -> None:
    assert "job_tree" in plan_of(Job.objects.filter(tree_id__in=[1, 2]).order_by("tree_id", "lft"))


def test_roots_of_a_batch_are_found_in_the_index_of_the_trees(db: None) -> None:
    assert "job_tree" in plan_of(Job.objects.filter(tree_id__in=[1, 2], lft=1))


def test_sweep_reads_nothing_of_the_history(db: None) -> None:
    with CaptureQueriesContext(connection) as asked:
        recovery.sweep()
    of_jobs = [query["sql"] for query in asked if 'FROM "jobs_job"' in query["sql"]]
    assert of_jobs
    for sql in of_jobs:
        with connection.cursor() as cursor:
            cursor.execute(f"{connection.ops.explain_prefix} {sql}")
            plan = str(cursor.fetchall())
        assert any(index in plan for index in WHILE_UNFINISHED), plan
