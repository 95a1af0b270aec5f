"""Which bytes of an image a chunk is, and which of them are there.

Clients count chunks of one size; the last one is longer, as it takes what remains. A client that
makes it shorter instead says how long each chunk is.
"""

from typing import NamedTuple

from cloudjobs.api.exceptions import Invalid

LEAST_CHUNK = 64 * 1024  # bytes, unless the whole image is smaller
MOST_RUNS = 10_000  # of bytes with gaps between them, in one upload


class Span(NamedTuple):
    """The bytes from `begin` up to `end`."""

    begin: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.begin


def span_of(index: int, chunk_size: int, total: int, length: int | None = None) -> Span:
    """Return the bytes of a chunk, counted from 0, of an image of `total` bytes.

    Raises:
        Invalid: there is no such chunk.
    """
    if chunk_size < min(LEAST_CHUNK, total):
        raise Invalid(f"A chunk has at least {LEAST_CHUNK} bytes.", "chunk_size")
    begin = index * chunk_size
    if length is None:
        is_last = index == max(1, total // chunk_size) - 1
        length = total - begin if is_last else chunk_size
    if not 0 <= begin < begin + length <= total or length >= 2 * chunk_size:
        raise Invalid(f"An image of {total} bytes has no such chunk.", "chunk_number")
    return Span(begin, begin + length)


def is_received(span: Span, received: list[list[int]]) -> bool:
    """Are all of its bytes there?"""
    return any(begin <= span.begin and span.end <= end for begin, end in received)


def with_span(received: list[list[int]], span: Span) -> list[list[int]]:
    """Return the runs of bytes that are there once the span is; neighbours become one.

    Raises:
        Invalid: there are too many gaps between them.
    """
    runs: list[list[int]] = []
    for begin, end in sorted([*received, list(span)]):
        if runs and begin <= runs[-1][1]:
            runs[-1][1] = max(runs[-1][1], end)
        else:
            runs.append([begin, end])
    if len(runs) > MOST_RUNS:
        raise Invalid("There are too many gaps; send the chunks between first.", "chunk_number")
    return runs


def bytes_in(received: list[list[int]]) -> int:
    return sum(end - begin for begin, end in received)
