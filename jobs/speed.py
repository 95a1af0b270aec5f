"""How fast a job gets on: a smoothed rate, and samples over its whole run for a plot."""

import time

MOST_SAMPLES = 120
NEWEST_SHARE = 0.3  # of the newest interval in the smoothed rate


class Speed:
    """Follows the bytes of one attempt; the samples go on where the attempt before ended."""

    def __init__(self, samples: list[list[float]]) -> None:
        self.samples = [list(sample) for sample in samples]
        self.rate: int | None = None
        self._last: tuple[float, int] | None = None

    def add(self, bytes_done: int) -> None:
        """Note how many bytes are done now. The first of an attempt says nothing of its speed."""
        now = time.monotonic()
        if self._last is not None:
            before, bytes_before = self._last
            self._smooth(max(0, bytes_done - bytes_before) / max(now - before, 1e-6))
        self._last = now, bytes_done
        self._keep([round(time.time(), 2), bytes_done])

    def _smooth(self, newest: float) -> None:
        old = newest if self.rate is None else self.rate
        self.rate = round(NEWEST_SHARE * newest + (1 - NEWEST_SHARE) * old)

    def _keep(self, sample: list[float]) -> None:
        """Keep a sample; when there are too many, every second one goes."""
        self.samples.append(sample)
        if len(self.samples) > MOST_SAMPLES:
            self.samples = self.samples[::2]
