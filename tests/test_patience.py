"""What may hang is waited for for a bounded time, and by several at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event

import pytest

from cloudjobs.patience import within
from tests.service import eventually


def test_two_who_ask_at_the_same_time_both_get_an_answer() -> None:
    def slow() -> str:
        time.sleep(0.1)
        return "answer"

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(within, 5, slow, "asked by several") for _ in range(4)]
        assert [one.result() for one in asked] == ["answer"] * 4


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
