"""What the purge deletes: whole trees that ended long ago, and what lies around them."""

import os
import threading
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as service_settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ, Task

from accounts.models import User
from benchmarks.history import make_history
from jobs import retention, tasks
from jobs.actions import Resource, cancel_job, retry_job, submit
from jobs.models import Job, JobLink, KeptAnswer
from jobs.retention import Purged, purge
from tests.factories import UserFactory
from tests.service import uses_postgresql
from tests.trees import inner, jobs_of, leaf, states_of


def ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def ended(owner: User, days: float, *children: Any, state: str = "success") -> Job:
    """Return the root of a tree that ended so many days ago, with two leaves if none are given."""
    root = submit(inner(*(children or (leaf(), leaf()))), owner)
    Job.objects.filter(tree_id=root.tree_id).update(state=state, finished_at=ago(days))
    return root


def left() -> set[Any]:
    """Return the roots that are still there."""
    return set(Job.objects.roots())


def test_tree_goes_after_its_days(owner: User) -> None:
    ended(owner, 3.01)
    young = ended(owner, 2.99)
    assert purge() == Purged(1, 3)
    assert left() == {young}
    assert Job.objects.count() == 3


@pytest.mark.parametrize("state", Job.FINISHED)
def test_every_end_is_history(owner: User, state: str) -> None:
    ended(owner, 4, state=state)
    purge()
    assert not Job.objects.exists()


def test_deep_tree_goes_whole(owner: User) -> None:
    ended(owner, 4, inner(inner(leaf()), leaf()), leaf())
    assert purge() == Purged(1, 6)
    assert not Job.objects.exists()


def test_internal_job_goes_too(owner: User) -> None:
    job = submit(leaf(operation="test_internal"), owner)
    Job.objects.update(state="success", finished_at=ago(4))
    assert purge() == Purged(1, 1)
    assert not Job.objects.filter(pk=job.pk).exists()


def test_job_that_waits_or_runs_never_goes(owner: User) -> None:
    waiting, running = submit(leaf(), owner), submit(leaf(), owner)
    assert running.claim("worker:1")
    Job.objects.update(created=ago(99), queued_at=ago(99), last_modified=ago(99))
    assert purge(days=0) == Purged(0, 0)
    assert left() == {waiting, running}


def test_tree_whose_leaves_ended_long_ago_stays_while_one_runs(owner: User) -> None:
    root = submit(inner(leaf(), leaf()), owner)
    child = jobs_of(root)[1]
    Job.objects.filter(pk=child.pk).update(state="success", finished_at=ago(99))
    assert purge() == Purged(0, 0)
    assert Job.objects.count() == 3


def test_job_that_was_retried_stays(owner: User) -> None:
    root = ended(owner, 99, state="failed")
    retry_job(root.pk, owner)
    assert purge() == Purged(0, 0)
    assert left() == {root}


def test_time_begins_anew_after_a_retry(owner: User) -> None:
    root = ended(owner, 99, state="failed")
    retry_job(root.pk, owner)
    cancel_job(root.pk, owner)
    purge()
    assert left() == {root}


def test_tree_that_was_retried_after_it_was_chosen_stays(owner: User) -> None:
    retried, other = ended(owner, 99, state="failed"), ended(owner, 99)
    retry_job(retried.pk, owner)
    assert retention.delete_trees([retried.tree_id, other.tree_id], ago(3)) == Purged(1, 3)
    assert left() == {retried}
    assert len(jobs_of(retried)) == 3


def test_only_trees_that_went_are_counted(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """One is retried between the choice and the lock."""
    root, delete_trees = ended(owner, 99, state="failed"), retention.delete_trees

    def delete_after_the_retry(trees: list[int], limit: datetime) -> Any:
        retry_job(root.pk, owner)
        return delete_trees(trees, limit)

    monkeypatch.setattr(retention, "delete_trees", delete_after_the_retry)
    assert purge() == Purged(0, 0)


def test_retry_that_waits_for_the_purge_finds_nothing_or_keeps_all(
    transactional_db: None,
) -> None:
    """Both want the root at the same moment; whoever is second sees what the first has done."""
    owner = UserFactory()
    root, has_locked = ended(owner, 99, state="failed"), threading.Event()

    def delete() -> None:
        with transaction.atomic():
            retention.delete_trees([root.tree_id], ago(3))
            has_locked.set()
            threading.Event().wait(0.3)
        connection.close()

    thread = threading.Thread(target=delete)
    thread.start()
    has_locked.wait()
    with pytest.raises(Exception, match="There is no such job"):
        retry_job(root.pk, owner)
    thread.join()
    assert not Job.objects.exists()


def test_days_are_as_asked(owner: User) -> None:
    old, young = ended(owner, 10), ended(owner, 0.6)
    assert purge(days=20) == Purged(0, 0)
    assert purge(days=5) == Purged(1, 3)
    assert left() == {young}
    assert purge(days=0.5) == Purged(1, 3)
    assert not Job.objects.filter(pk=old.pk).exists()


def test_days_of_the_settings_are_the_default(owner: User, settings: Any) -> None:
    ended(owner, 4)
    settings.JOB_RETENTION_DAYS = 5
    assert purge() == Purged(0, 0)
    settings.JOB_RETENTION_DAYS = 0
    assert purge() == Purged(1, 3)


def test_history_of_everybody_goes(owner: User, stranger: User) -> None:
    for user in (owner, stranger):
        ended(user, 4)
    assert purge() == Purged(2, 6)


def test_links_go_with_their_jobs(owner: User) -> None:
    resource = Resource("drives", uuid4(), "disk")
    ended(owner, 4, leaf(resources=(resource,)))
    kept = ended(owner, 1, leaf(resources=(resource,)))
    purge()
    assert [link.job.tree_id for link in JobLink.objects.all()] == [kept.tree_id]
    assert Job.objects.linked_to("drives", [resource.uuid]).get() == jobs_of(kept)[1]


def test_second_purge_finds_nothing(owner: User) -> None:
    ended(owner, 4)
    purge()
    assert purge() == Purged(0, 0)


# --- batches --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_batches_of_any_size_delete_all(owner: User, size: int) -> None:
    for _ in range(5):
        ended(owner, 4)
    assert purge(batch_size=size) == Purged(5, 15)
    assert not Job.objects.exists()


@pytest.mark.skipif(not uses_postgresql(), reason="SQLite names a quarter of a million")
def test_batch_may_have_more_jobs_than_a_statement_can_name(owner: User) -> None:
    trees = retention.NAMED_AT_MOST
    make_history(owner.pk, trees, 7, ended=ago(4), links=1)
    assert purge(batch_size=trees) == Purged(trees, trees * 8)
    assert not JobLink.objects.exists()


@pytest.mark.skipif(not uses_postgresql(), reason="SQLite keeps no plans")
def test_much_is_not_purged_as_was_planned_for_little(owner: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE jobs_job CASCADE")  # other tests leave it large, if empty
        ended(owner, 4, *[leaf()] * 20)
        cursor.execute("ANALYZE jobs_job, jobs_joblink")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # as at the end of each real transaction
    assert purge() == Purged(1, 21)
    make_history(owner.pk, 500, 4, ended=ago(4))
    before = times_read_from_end_to_end("jobs_job")
    assert purge() == Purged(500, 2500)
    assert times_read_from_end_to_end("jobs_job") - before < 50


def times_read_from_end_to_end(table: str) -> int:
    """Return how often this transaction did so."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = %s", [table])
        return int(cursor.fetchone()[0])


def test_oldest_go_first_when_the_time_is_over(owner: User) -> None:
    trees = [ended(owner, days) for days in (4, 9, 6)]
    assert purge(batch_size=1, max_seconds=0) == Purged(1, 3)
    assert left() == {trees[0], trees[2]}
    assert purge(batch_size=1, max_seconds=0) == Purged(1, 3)
    assert left() == {trees[0]}


def test_time_that_suffices_deletes_all(owner: User) -> None:
    for _ in range(3):
        ended(owner, 4)
    assert purge(batch_size=1, max_seconds=60) == Purged(3, 9)


def test_batch_costs_as_many_queries_for_two_trees_as_for_twenty(owner: User) -> None:
    def queries(trees: int) -> int:
        for _ in range(trees):
            ended(owner, 4, inner(leaf(), leaf()), leaf())
        with CaptureQueriesContext(connection) as captured:
            assert purge().trees == trees
        return len(captured)

    assert queries(2) == queries(20) < 20


# --- dry run --------------------------------------------------------------------------------------


def test_count_tells_what_a_purge_would_delete(owner: User) -> None:
    ended(owner, 4, inner(inner(leaf()), leaf()))
    ended(owner, 1)
    submit(leaf(), owner)
    counted = retention.count()
    assert Job.objects.count() == 9
    assert counted == purge() == Purged(1, 5)


# --- around ---------------------------------------------------------------------------------------


def test_old_answers_go(owner: User) -> None:
    for key, days in (("old", 4), ("young", 2)):
        KeptAnswer.objects.create(owner=owner, key=key, fingerprint="x", created=ago(days))
    purge()
    assert [answer.key for answer in KeptAnswer.objects.all()] == ["young"]


@pytest.mark.django_db
def test_old_records_of_the_queue_go() -> None:
    for name, days in (("old", 4), ("young", 2)):
        Task.objects.create(
            id=name, name=name, func="f", started=ago(days), stopped=ago(days), success=False
        )
    purge()
    assert [task.name for task in Task.objects.all()] == ["young"]


def message(held_for: timedelta | None) -> OrmQ:
    """Return a message that waits, or that a worker has taken so long ago."""
    retry = timedelta(seconds=service_settings.Q_CLUSTER["retry"])
    lock = timezone.now() if held_for is None else timezone.now() - held_for + retry
    return OrmQ.objects.create(key="cloudjobs", payload="x", lock=lock)


@pytest.mark.django_db
@pytest.mark.skipif("REDIS_URL" in os.environ, reason="the queue is in Redis")
def test_only_messages_of_killed_workers_go() -> None:
    kept = [message(None), message(timedelta(hours=23)), message(timedelta(0))]
    waiting_long = message(None)
    OrmQ.objects.filter(pk=waiting_long.pk).update(lock=ago(40))
    message(timedelta(hours=25))
    purge()
    assert set(OrmQ.objects.all()) == {*kept, waiting_long}


def test_scheduled_task_purges(owner: User) -> None:
    ended(owner, 4)
    tasks.purge()
    assert not Job.objects.exists()


def test_tree_that_stays_is_as_it_was(owner: User) -> None:
    kept = ended(owner, 1)
    ended(owner, 4)
    before = list(Job.objects.filter(tree_id=kept.tree_id).values())
    purge()
    assert list(Job.objects.filter(tree_id=kept.tree_id).values()) == before
    assert states_of(kept) == ["success"] * 3


@pytest.mark.skipif(uses_postgresql(), reason="the plans of SQLite")
def test_what_ended_is_found_by_an_index_however_many_roots(db: None) -> None:
    ended_before = Job.objects.roots().finished_before(ago(3)).order_by("finished_at")
    for jobs in (ended_before, Job.objects.failed_since(ago(1)).order_by()):
        assert "job_history" in jobs.explain()


@pytest.mark.skipif(uses_postgresql(), reason="the plans of SQLite")
def test_children_are_found_by_an_index(owner: User) -> None:
    root = submit(inner(leaf(), leaf()), owner)
    assert "job_children" in root.children.order_by().explain()
