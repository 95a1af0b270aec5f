"""A server is deleted at the moment at which a job of its clone ends: both take the same locks."""

import time
from collections.abc import Callable
from threading import Event, Thread

import pytest
from django.db import connection, transaction

from accounts.models import User
from jobs import endings
from jobs.models import Job
from servers.actions import CloneWishes, clone_server, delete_servers
from servers.models import Server

LONG_ENOUGH = 0.3  # seconds, for the other one to get as far as it can


def together(*actions: Callable[[], None]) -> list[Exception]:
    """Run each in a thread of its own and return what they raise."""
    errors: list[Exception] = []

    def attempt(action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [Thread(target=attempt, args=[action]) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("which", ["source", "clone"])
def test_end_of_a_job_and_deletion_do_not_block_each_other(
    owner: User, full_server: Server, which: str
) -> None:
    clone = clone_server(full_server.pk, owner, CloneWishes())
    job = Job.objects.filter(level=1).first()
    assert job.claim("worker:1")
    tree_is_locked = Event()

    def end() -> None:
        with transaction.atomic():
            endings.lock_tree(job)
            tree_is_locked.set()
            time.sleep(LONG_ENOUGH)
            endings.finish(job, Job.State.SUCCESS)

    def delete() -> None:
        tree_is_locked.wait()
        delete_servers([clone.pk if which == "clone" else full_server.pk], owner)

    assert together(end, delete) == []
    assert Job.objects.get(pk=job.pk).state == "success"
    assert Server.objects.count() == 1
