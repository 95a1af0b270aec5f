"""Which bytes a chunk is, and how runs of bytes grow together."""

import random

import pytest

from cloudjobs.api.exceptions import Invalid
from drives.uploads import spans
from drives.uploads.spans import LEAST_CHUNK, Span, bytes_in, is_received, span_of, with_span

SIZE = LEAST_CHUNK


@pytest.mark.parametrize("total", [1, SIZE - 1, SIZE, SIZE + 1, 2 * SIZE - 1, 5 * SIZE + 3])
def test_chunks_cover_the_image_once(total: int) -> None:
    count = max(1, total // SIZE)
    chunks = [span_of(index, SIZE, total) for index in range(count)]
    assert [chunk.begin for chunk in chunks] == [0, *(chunk.end for chunk in chunks[:-1])]
    assert chunks[-1].end == total
    with pytest.raises(Invalid):
        span_of(count, SIZE, total)


def test_runs_grow_together_in_any_order() -> None:
    received: list[list[int]] = []
    order = list(range(100))
    random.Random(1).shuffle(order)
    for index in order:
        assert not is_received(Span(index, index + 1), received)
        received = with_span(received, Span(index, index + 1))
        assert is_received(Span(index, index + 1), received)
    assert (received, bytes_in(received)) == ([[0, 100]], 100)


def test_overlapping_chunks_count_once() -> None:
    received = with_span([[0, 10], [20, 30]], Span(5, 25))
    assert (received, bytes_in(received)) == ([[0, 30]], 30)


def test_gaps_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "MOST_RUNS", 2)
    received = with_span([[0, 1], [2, 3]], Span(1, 2))
    with pytest.raises(Invalid):
        with_span(with_span(received, Span(5, 6)), Span(7, 8))
