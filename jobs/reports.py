"""What a worker tells of its work, and why a job failed."""

from typing import NamedTuple


class Reported(NamedTuple):
    """What a worker tells of its work.

    `bytes_done` have been moved; below the offset `cursor` all is durable. `rate` is bytes per
    second, smoothed; `samples` are pairs of a time (seconds since 1970) and the bytes done by then.
    `verified` bytes were compared with their source, of a job that does that.
    """

    bytes_done: int
    cursor: int
    method: str
    rate: int | None = None
    samples: list[list[float]] | None = None
    verified: int = 0


class Failure(NamedTuple):
    """Why a job failed: a sentence for its owner, a word for programs, and what can be done."""

    message: str = ""
    code: str = ""
    hint: str = ""


NO_FAILURE = Failure()
ENDINGS = {"success": "Done.", "failed": "Failed.", "cancelled": "Cancelled."}
