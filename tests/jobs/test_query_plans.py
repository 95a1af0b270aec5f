"""The queries that run all the time find what they look for by an index, however long the history.

Asked of SQLite, which decides by its rules alone. PostgreSQL decides by what the tables have, which
here are empty: its plans of full ones are in docs/performance.md.
"""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from jobs import listing, recovery
from jobs.listed import columns_of
from jobs.models import Job
from tests.service import uses_postgresql

pytestmark = pytest.mark.skipif(uses_postgresql(), reason="looks at plans of SQLite")
WHILE_UNFINISHED = ("job_unfinished", "job_turns", "job_leased", "job_waiting")


def plan_of(jobs: Any) -> str:
    return str(jobs.explain()).replace('"', "")


def mine(owner: User) -> Any:
    return Job.objects.roots().visible().filter(owner=owner)


def test_page_of_the_api_comes_sorted_out_of_its_index(owner: User) -> None:
    plan = plan_of(columns_of(mine(owner)).order_by("-last_modified", "pk")[:20])
    assert "job_list" in plan
    assert "TEMP B-TREE" not in plan


def test_page_of_the_dashboard_comes_sorted_out_of_its_index(owner: User) -> None:
    plan = plan_of(listing.newest_first(mine(owner))[:50])
    assert "job_page" in plan
    assert "TEMP B-TREE" not in plan


def test_jobs_of_a_list_are_counted_in_an_index(owner: User) -> None:
    plan = plan_of(mine(owner).order_by().values("owner"))
    assert "USING COVERING INDEX job_page" in plan


def test_one_job_is_found_by_its_key(owner: User) -> None:
    plan = plan_of(Job.objects.filter(pk=owner.pk))
    assert "sqlite_autoindex_jobs_job_1" in plan


@pytest.mark.parametrize("which", ["claimable", "exhausted", "running"])
def test_jobs_at_work_and_waiting_are_found_without_the_history(db: None, which: str) -> None:
    plan = plan_of(getattr(Job.objects, which)().order_by())
    assert any(index in plan for index in WHILE_UNFINISHED)


def test_next_job_comes_sorted_out_of_its_index(db: None) -> None:
    waiting = Job.objects.claimable().order_by("-is_internal", "turn", "queued_at")
    plan = plan_of(waiting[:1])
    assert "job_unfinished" in plan
    assert "TEMP B-TREE" not in plan


def test_purge_finds_the_oldest_trees_by_when_they_ended(db: None) -> None:
    old = Job.objects.roots().finished_before(timezone.now()).order_by("finished_at")
    plan = plan_of(old.values_list("tree_id")[:1000])
    assert "job_history" in plan
    assert "TEMP B-TREE" not in plan


def test_tree_is_found_by_its_number(db: None) -> None:
    assert "job_tree" in plan_of(Job.objects.filter(tree_id__in=[1, 2]).order_by("tree_id", "lft"))


def test_roots_of_a_batch_are_found_in_the_index_of_the_trees(db: None) -> None:
    assert "job_tree" in plan_of(Job.objects.filter(tree_id__in=[1, 2], lft=1))


def test_sweep_reads_nothing_of_the_history(db: None) -> None:
    with CaptureQueriesContext(connection) as asked:
        recovery.sweep()
    of_jobs = [query["sql"] for query in asked if 'FROM "jobs_job"' in query["sql"]]
    assert len(of_jobs) == 2
    for sql in of_jobs:
        with connection.cursor() as cursor:
            plan = str(cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall())
        assert any(index in plan for index in WHILE_UNFINISHED), plan
