"""The clock stands at the edge: tests set what it shows."""

import pytest

from jobs import speed as speed_module
from jobs.speed import MOST_SAMPLES, Speed


class Clock:
    """Both clocks of a computer, which stand still until they are moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def time(self) -> float:
        return 1_700_000_000 + self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(speed_module, "time", clock)
    return clock


def follow(clock: Clock, speed: Speed, *done: int) -> list[int | None]:
    """Add the bytes, a second apart, and return the rate after each."""
    rates = []
    for bytes_done in done:
        speed.add(bytes_done)
        rates.append(speed.rate)
        clock.seconds += 1
    return rates


def test_first_of_an_attempt_says_nothing(clock: Clock) -> None:
    assert follow(clock, Speed([]), 1000) == [None]


def test_resumed_attempt_does_not_count_what_was_there(clock: Clock) -> None:
    assert follow(clock, Speed([[1.0, 10]]), 10**12, 10**12 + 50) == [None, 50]


def test_even_speed_is_told_exactly(clock: Clock) -> None:
    assert follow(clock, Speed([]), 0, 100, 200, 300) == [None, 100, 100, 100]


def test_change_of_speed_shows_slowly(clock: Clock) -> None:
    assert follow(clock, Speed([]), 0, 100, 300, 300) == [None, 100, 130, 91]


def test_bytes_that_go_back_are_no_negative_speed(clock: Clock) -> None:
    assert follow(clock, Speed([]), 500, 0, 0) == [None, 0, 0]


def test_clock_that_stands_still_divides_by_nothing(clock: Clock) -> None:
    speed = Speed([])
    for bytes_done in (0, 10):
        speed.add(bytes_done)
    assert speed.rate == 10_000_000


def test_rate_fits_into_the_database(clock: Clock) -> None:
    speed = Speed([])
    for bytes_done in (0, 2**42):
        speed.add(bytes_done)
    assert speed.rate is not None
    assert speed.rate < 2**63


def test_samples_are_pairs_of_time_and_bytes(clock: Clock) -> None:
    speed = Speed([])
    follow(clock, speed, 0, 70)
    assert speed.samples == [[1_700_001_000.0, 0], [1_700_001_001.0, 70]]


def test_samples_go_on_where_the_attempt_before_ended(clock: Clock) -> None:
    before = [[1.0, 10], [2.0, 20]]
    speed = Speed(before)
    follow(clock, speed, 30)
    assert speed.samples == [[1.0, 10], [2.0, 20], [1_700_001_000.0, 30]]
    assert before == [[1.0, 10], [2.0, 20]]


def test_samples_stay_few_and_keep_first_and_last(clock: Clock) -> None:
    speed = Speed([])
    for bytes_done in range(10_000):
        speed.add(bytes_done)
        assert len(speed.samples) <= MOST_SAMPLES
    assert speed.samples[0][1] == 0
    assert speed.samples[-1][1] == 9_999
    assert speed.samples == sorted(speed.samples)
