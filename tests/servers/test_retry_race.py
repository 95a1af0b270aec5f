"""A server that is deleted while its clone's jobs are retried or cancelled: both get an answer.

One locks the server first and then its jobs, the other the jobs first. The moment is forced: the
deletion has the server's row when the other one begins.
"""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from cloudjobs.api.exceptions import PointedError
from jobs.actions import cancel_job, retry_job
from jobs.models import Job
from servers import actions
from servers.actions import CloneWishes
from servers.models import Server
from tests.factories import MIB, MountFactory, ServerFactory

HOLD_SECONDS = 0.5


@pytest.fixture
def clone(transactional_db: None) -> Server:
    """The clone of a server with one disk."""
    source = ServerFactory()
    MountFactory(server=source, drive__image=b"x" * MIB)
    return actions.clone_server(source.pk, source.owner, CloneWishes())


def in_thread(work: Callable[[], Any], errors: list[Exception]) -> threading.Thread:
    """Do the work in a thread, which has a database connection of its own."""

    def noted() -> None:
        try:
            work()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=noted)
    thread.start()
    return thread


@pytest.mark.parametrize("steer", [cancel_job, retry_job])
def test_server_is_deleted_while_its_jobs_are_steered(
    clone: Server, steer: Callable[..., Any]
) -> None:
    owner, root = clone.owner, Job.objects.roots().get()
    if steer is retry_job:
        cancel_job(root.pk, owner)
    has_the_row, errors = threading.Event(), []

    def delete() -> None:
        with transaction.atomic():
            actions.lock_server(clone.pk, owner)
            has_the_row.set()
            threading.Event().wait(HOLD_SECONDS)
            actions.delete_servers([clone.pk], owner)

    def change() -> None:
        has_the_row.wait()
        steer(root.pk, owner)

    for thread in [in_thread(delete, errors), in_thread(change, errors)]:
        thread.join()
    assert [error for error in errors if not isinstance(error, PointedError)] == []
    assert not Server.objects.filter(pk=clone.pk).exists()
