"""Redis cannot be reached: jobs are taken in all the same, and wait until the sweep finds them."""

import os
from typing import Any

import pytest
from django_q.brokers import get_broker
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import User
from jobs import recovery
from jobs.actions import submit
from jobs.models import Job
from tests.trees import leaf

pytestmark = pytest.mark.skipif("REDIS_URL" not in os.environ, reason="the queue is the database")
REFUSED = "the queue does not take the message"


def refuse(*args: Any, **kwargs: Any) -> None:
    raise ConnectionError


def test_job_is_submitted_and_waits(
    owner: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("jobs.tasks.queue", refuse)
    with django_capture_on_commit_callbacks(execute=True):
        job = submit(leaf(), owner)
    assert Job.objects.claimable().get() == job


def test_nothing_is_sent_before_the_commit(
    owner: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("jobs.tasks.queue", refuse)
    submit(leaf(), owner)
    assert REFUSED not in caplog.text


def test_sweep_goes_on_with_the_next_message(
    owner: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    get_broker().delete_queue()  # Redis rolls nothing back: others may have left messages
    for _ in range(2):
        submit(leaf(), owner)
    monkeypatch.setattr("jobs.tasks.queue", refuse)
    with django_capture_on_commit_callbacks(execute=True):
        recovery.sweep()
    assert caplog.text.count(REFUSED) == 2
