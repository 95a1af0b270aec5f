"""How many bodies of people who are not logged in are waited for at once.

The web server gives each request a thread, and waits for its body as long as that takes. Strangers
may hold some of the threads of a process like that, but not all of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from cloudjobs.api.exceptions import Busy

MOST_WAITED_FOR = 8  # half of the threads that the Procfile gives a process
turns = BoundedSemaphore(MOST_WAITED_FOR)


@contextmanager
def strangers_turn() -> Iterator[None]:
    """Have a turn for as long as a stranger's body is read.

    Raises:
        Busy: all turns are taken.
    """
    if not turns.acquire(blocking=False):
        raise Busy("Too many people are logging in at this moment; try again.")
    try:
        yield
    finally:
        turns.release()
