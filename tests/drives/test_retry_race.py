"""A clone that is retried at the moment at which its source is deleted: both get an answer.

The moment is forced: the deletion has the drives when the retry begins.
"""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.models.signals import pre_delete

from cloudjobs.api.exceptions import PointedError
from drives import actions
from drives.cloning import clone_drive
from drives.models import Drive
from jobs import endings, runner
from jobs.actions import retry_job
from jobs.models import Job
from tests.factories import MIB, DriveFactory

HOLD_SECONDS = 0.5


@pytest.fixture
def deleting(transactional_db: None) -> Iterator[threading.Event]:
    """Return what is set once a drive is about to be deleted; that takes a while."""
    begun = threading.Event()

    def hold(**kwargs: Any) -> None:
        begun.set()
        threading.Event().wait(HOLD_SECONDS)

    pre_delete.connect(hold, sender=Drive)
    yield begun
    pre_delete.disconnect(hold, sender=Drive)


def test_source_is_deleted_while_its_clone_is_retried(deleting: threading.Event) -> None:
    source = DriveFactory(image=b"x" * MIB)
    clone_drive(source.pk, source.owner, {})
    job = Job.objects.get()
    assert job.claim("worker:1")
    endings.finish(job, Job.State.FAILED)
    actions.delete_drives([source.pk], source.owner)
    errors: list[Exception] = []

    def noted(work: Callable[[], Any]) -> None:
        try:
            work()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    def retry() -> None:
        deleting.wait()
        retry_job(job.pk, source.owner)

    deletion = runner.claim_next()
    assert deletion is not None

    def delete() -> None:
        endings.finish(deletion, Job.State.SUCCESS)

    threads = [threading.Thread(target=noted, args=(work,)) for work in (delete, retry)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [error for error in errors if not isinstance(error, PointedError)] == []
    assert len(errors) == 1
    assert not Drive.objects.filter(pk=source.pk).exists()
    job.refresh_from_db()
    assert [one["is_gone"] for one in job.resources] == [True, False]
