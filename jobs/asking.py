"""What is asked before a transaction begins: that which may not answer for long, as storage.

Who asks it in a transaction might wait for ever with a lock that everybody needs, such as SQLite's
only write lock. Once it was asked, it is known in the transaction that it does not answer.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import connection

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

_questions: list[Callable[[], None]] = []


def register_question(ask: Callable[[], None]) -> None:
    """Have something asked before transactions that need an answer; no answer is no error."""
    if ask not in _questions:
        _questions.append(ask)


def ask_first() -> None:
    """Ask whatever was registered; in a transaction that has begun it would be too late."""
    if not connection.in_atomic_block:
        for ask in _questions:
            ask()


def after_asking(action: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Have an action ask first, and then begin its transaction."""

    @wraps(action)
    def asking_first(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        ask_first()
        return action(*args, **kwargs)

    return asking_first
