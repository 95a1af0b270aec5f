"""Waiting for what may hang, such as a folder on a server that is away, for a bounded time."""

import math
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import connections

Answer = TypeVar("Answer")

_asked: dict[str, "Question"] = {}
_asking = threading.Lock()


class Question(threading.Thread):
    """Work in a thread of its own, with the time from which on it counts as hanging."""

    def __init__(self, work: Callable[[], Any], name: str, seconds: float) -> None:
        super().__init__(name=f"ask {name}", daemon=True)
        self.work = work
        self.seconds = seconds
        self.hangs_from = math.inf
        self.answer: Any = None
        self.error: BaseException | None = None

    def start(self) -> None:
        """Begin; the time is counted from when the work has really begun."""
        super().start()
        self.hangs_from = time.monotonic() + self.seconds

    def run(self) -> None:
        try:
            self.answer = self.work()
        except BaseException as error:
            self.error = error
        finally:
            connections.close_all()  # this thread's own


def within(seconds: float, work: Callable[[], Answer], name: str) -> Answer:
    """Return what the work returns, or raise what it raises.

    It runs in a thread, which nobody can end. While there is one of this name no other is begun:
    who asks at the same time gets the same answer.

    Raises:
        TimeoutError: it did not end within so many seconds, or an earlier one has not yet.
    """
    with _asking:
        question = _asked.get(name)
        if question is None or not question.is_alive():
            question = _asked[name] = Question(work, name, seconds)
            question.start()
    left = question.hangs_from - time.monotonic()
    question.join(max(0.0, left))
    if question.is_alive() and left > 0:
        raise TimeoutError(f"{name} did not answer within {seconds:g} s")
    if question.is_alive():
        raise TimeoutError(f"{name} has been hanging since it was asked before")
    if question.error:
        raise question.error
    answer: Answer = question.answer
    return answer
