"""Waiting for what may hang, such as a folder on a server that is away, for a bounded time."""

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import connections

Answer = TypeVar("Answer")

_asked: dict[str, "Question"] = {}


class Question(threading.Thread):
    """Work in a thread of its own, with the time from which on it counts as hanging."""

    def __init__(self, work: Callable[[], Any], name: str, seconds: float) -> None:
        super().__init__(name=f"ask {name}", daemon=True)
        self.work = work
        self.hangs_from = time.monotonic() + seconds
        self.answer: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.answer = self.work()
        except BaseException as error:
            self.error = error
        finally:
            connections.close_all()  # this thread's own


def within(seconds: float, work: Callable[[], Answer], name: str) -> Answer:
    """Return what the work returns, or raise what it raises.

    It runs in a thread, which nobody can end. While one still hangs under this name no further one
    is begun; one that somebody else began just now is let finish first.

    Raises:
        TimeoutError: it did not end within so many seconds, or an earlier one has not yet.
    """
    earlier = _asked.get(name)
    if earlier:
        earlier.join(max(0.0, earlier.hangs_from - time.monotonic()))
        if earlier.is_alive():
            raise TimeoutError(f"{name} has been hanging since it was asked before")
    question = Question(work, name, seconds)
    question.start()
    _asked[name] = question
    question.join(seconds)
    if question.is_alive():
        raise TimeoutError(f"{name} did not answer within {seconds:g} s")
    if question.error:
        raise question.error
    answer: Answer = question.answer
    return answer
