"""The sweep: as many messages as jobs that wait."""

import os
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ

from accounts.models import User
from jobs import recovery, tasks
from jobs.actions import submit
from jobs.models import Job
from tests.trees import inner, jobs_of, leaf, make_stale

pytestmark = pytest.mark.skipif("REDIS_URL" in os.environ, reason="the queue is in Redis")


def waiting_messages() -> list[str]:
    return [message.name() for message in OrmQ.objects.order_by("pk")]


def lose_messages() -> None:
    get_broker().purge_queue()


def test_job_that_was_submitted_has_its_message(job: Job) -> None:
    assert recovery.sweep() == 0
    assert waiting_messages() == [str(job.pk)]


def test_job_without_a_message_gets_one(job: Job) -> None:
    lose_messages()
    assert recovery.sweep() == 1
    assert waiting_messages() == [str(job.pk)]


def test_second_sweep_adds_nothing(job: Job) -> None:
    lose_messages()
    recovery.sweep()
    assert recovery.sweep() == 0
    assert len(waiting_messages()) == 1


@pytest.mark.django_db
def test_nothing_is_swept_where_nothing_waits() -> None:
    assert recovery.sweep() == 0
    assert waiting_messages() == []


def test_only_what_is_missing_is_added(owner: User) -> None:
    for _ in range(5):
        submit(leaf(), owner)
    for message in OrmQ.objects.all()[:3]:
        message.delete()
    assert recovery.sweep() == 3
    assert len(waiting_messages()) == 5


def test_more_messages_than_jobs_are_left_alone(job: Job) -> None:
    for _ in range(2):
        tasks.enqueue(job.pk)
    assert recovery.sweep() == 0
    assert len(waiting_messages()) == 3


def test_only_leaves_count(owner: User) -> None:
    root = submit(inner(leaf(), inner(leaf())), owner)
    lose_messages()
    assert recovery.sweep() == 2
    assert set(waiting_messages()) == {str(job.pk) for job in jobs_of(root) if job.is_leaf}


def test_job_that_runs_needs_no_message(claimed: Job) -> None:
    assert recovery.sweep() == 0


def test_job_whose_worker_fell_silent_needs_one(claimed: Job) -> None:
    lose_messages()
    make_stale(claimed)
    assert recovery.sweep() == 1


@pytest.mark.parametrize("state", Job.FINISHED)
def test_job_that_ended_needs_none(job: Job, state: str) -> None:
    Job.objects.update(state=state)
    assert recovery.sweep() == 0


def test_message_that_a_worker_took_and_lost_does_not_count(job: Job) -> None:
    OrmQ.objects.update(lock=timezone.now() - timedelta(seconds=1))
    assert len(get_broker().dequeue()) == 1  # held by a worker that dies now
    assert recovery.sweep() == 1
    assert len(waiting_messages()) == 2


def test_scheduled_task_sweeps(job: Job) -> None:
    lose_messages()
    tasks.sweep()
    assert waiting_messages() == [str(job.pk)]


def test_command_sweeps_and_tells_how_many(job: Job) -> None:
    lose_messages()
    told = StringIO()
    call_command("sweep_jobs", stdout=told)
    assert told.getvalue() == "1 jobs were queued again.\n"
    assert waiting_messages() == [str(job.pk)]
