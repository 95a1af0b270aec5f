from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from jobs.actions import submit
from jobs.models import Job, KeptAnswer
from tests.trees import inner, leaf


@pytest.fixture
def history(owner: User) -> None:
    """Trees of two jobs that ended 1 to 6 days ago."""
    for days in range(1, 7):
        root = submit(inner(leaf()), owner)
        end = timezone.now() - timedelta(days=days)
        Job.objects.filter(tree_id=root.tree_id).update(state="success", finished_at=end)


def run(*arguments: str, **options: Any) -> str:
    told = StringIO()
    call_command("purge_jobs", *arguments, stdout=told, **options)
    return told.getvalue()


def test_command_tells_what_it_deleted(history: None) -> None:
    assert run() == "4 trees of 8 jobs were deleted.\n"
    assert Job.objects.count() == 4


def test_dry_run_only_counts(history: None, owner: User) -> None:
    old = timezone.now() - timedelta(days=9)
    KeptAnswer.objects.create(owner=owner, key="old", fingerprint="x", created=old)
    before = list(Job.objects.values())
    assert run("--dry-run") == "4 trees of 8 jobs would be deleted.\n"
    assert list(Job.objects.values()) == before
    assert KeptAnswer.objects.count() == 1


def test_days_are_as_asked(history: None) -> None:
    assert run("--dry-run", "--days", "5.5") == "1 trees of 2 jobs would be deleted.\n"
    assert run("--days", "5.5") == "1 trees of 2 jobs were deleted.\n"


def test_small_batches_delete_all(history: None) -> None:
    assert run("--batch-size", "1") == "4 trees of 8 jobs were deleted.\n"


def test_time_that_is_over_leaves_the_rest_to_the_next_run(history: None) -> None:
    short = ("--batch-size", "3", "--max-seconds", "0")
    assert run(*short) == "3 trees of 6 jobs were deleted.\n"
    assert run(*short) == "1 trees of 2 jobs were deleted.\n"
    assert run(*short) == "0 trees of 0 jobs were deleted.\n"


@pytest.mark.parametrize("size", ["0", "-1", "many", "9" * 20])
def test_batch_of_nothing_is_refused(history: None, size: str) -> None:
    with pytest.raises(CommandError):
        run(f"--batch-size={size}")
    assert Job.objects.count() == 12


@pytest.mark.parametrize("seconds", ["-1", "nan", "inf", "long"])
def test_time_that_never_ends_is_refused(history: None, seconds: str) -> None:
    with pytest.raises(CommandError):
        run(f"--max-seconds={seconds}")
    assert Job.objects.count() == 12


@pytest.mark.parametrize("days", ["-1", "nan", "long"])
def test_days_that_cannot_be_are_refused(history: None, days: str) -> None:
    with pytest.raises(CommandError):
        run(f"--days={days}")
    assert Job.objects.count() == 12
