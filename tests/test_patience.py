"""What may hang is waited for for a bounded time, and by several at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, Event

import pytest

from cloudjobs.patience import within
from tests.service import eventually


def test_all_who_ask_at_the_same_time_get_the_same_answer() -> None:
    begun: list[float] = []
    together = Barrier(4)

    def slow() -> int:
        begun.append(time.monotonic())
        time.sleep(2)
        return len(begun)

    def ask(_: int) -> int:
        together.wait()
        return within(30, slow, "asked by several")

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == [1] * 4
    assert within(30, slow, "asked by several") == 2


def test_what_hangs_is_not_waited_for_again() -> None:
    released = Event()
    with pytest.raises(TimeoutError, match=r"did not answer within 0\.1 s"):
        within(0.1, released.wait, "hangs")
    began = time.monotonic()
    with pytest.raises(TimeoutError, match="has been hanging"):
        within(30, released.wait, "hangs")
    assert time.monotonic() - began < 5
    released.set()


def test_what_was_hanging_is_asked_again_once_it_has_ended() -> None:
    released = Event()
    with pytest.raises(TimeoutError):
        within(0.05, released.wait, "hung")
    released.set()

    def answer() -> str | None:
        with suppress(TimeoutError):
            return within(5, lambda: "answer", "hung")
        return None

    assert eventually(answer) == "answer"
