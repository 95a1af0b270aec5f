"""Waiting for what may hang, such as a folder on a server that is away, for a bounded time."""

import threading
from collections.abc import Callable
from typing import TypeVar

from django.db import connections

Answer = TypeVar("Answer")

_hanging: dict[str, threading.Thread] = {}


def within(seconds: float, work: Callable[[], Answer], name: str) -> Answer:
    """Return what the work returns, or raise what it raises.

    It runs in a thread, which nobody can end. While one still hangs under this name no further one
    is begun.

    Raises:
        TimeoutError: it did not end within so many seconds, or an earlier one has not yet.
    """
    earlier = _hanging.get(name)
    if earlier and earlier.is_alive():
        raise TimeoutError(f"{name} has been hanging since it was asked before")
    ended: list[Callable[[], Answer]] = []
    thread = threading.Thread(target=_run, args=(work, ended), name=f"ask {name}", daemon=True)
    _hanging[name] = thread
    thread.start()
    thread.join(seconds)
    if not ended:
        raise TimeoutError(f"{name} did not answer within {seconds:g} s")
    del _hanging[name]
    return ended[0]()


def _run(work: Callable[[], Answer], ended: list[Callable[[], Answer]]) -> None:
    try:
        answer = work()
        ended.append(lambda: answer)
    except BaseException as error:
        failed = error

        def fail() -> Answer:
            raise failed

        ended.append(fail)
    finally:
        connections.close_all()  # this thread's own
