"""Two children that end at the same moment: the parent must not be lost, and ends once.

The moment is forced: the first child has ended and has seen the second one at work, but its
transaction is not committed yet, when the second one ends. Without a lock that one would not see
the first end either, and the parent would stay.
"""

import threading
from collections.abc import Callable

from django.db import connection, transaction

from jobs import endings
from jobs.actions import submit
from jobs.models import Job
from tests.factories import UserFactory
from tests.operations import settled
from tests.trees import inner, jobs_of, leaf

HOLD_SECONDS = 0.5


def in_thread(work: Callable[[], None]) -> threading.Thread:
    """Do the work in a thread, which has a database connection of its own."""

    def with_connection() -> None:
        work()
        connection.close()

    thread = threading.Thread(target=with_connection)
    thread.start()
    return thread


def test_last_two_children_end_their_parent_once(transactional_db: None) -> None:
    root = submit(inner(leaf(1), leaf(1)), UserFactory())
    _, first, second = jobs_of(root)
    assert first.claim("worker:1")
    assert second.claim("worker:2")
    first_has_looked = threading.Event()

    def end_first() -> None:
        with transaction.atomic():
            endings.finish(first, Job.State.SUCCESS)
            first_has_looked.set()
            threading.Event().wait(HOLD_SECONDS)

    def end_second() -> None:
        first_has_looked.wait()
        endings.finish(second, Job.State.SUCCESS)

    for thread in [in_thread(end_first), in_thread(end_second)]:
        thread.join()
    root.refresh_from_db()
    assert (root.state, root.finished_at is not None) == ("success", True)
    assert [key for key, _ in settled].count(str(root.pk)) == 1
