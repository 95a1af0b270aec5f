"""The log of a job: what happened to it, each with its time, in the words that its owner reads."""

from enum import StrEnum

from django.utils import timezone


class EventKind(StrEnum):
    """What can happen; the last three are also the states in which a job ends."""

    SUBMITTED = "submitted"
    CLAIMED = "claimed"
    LOST = "lost"
    GIVEN_BACK = "given_back"
    RETRIED = "retried"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"


def event(kind: EventKind, text: str, worker: str = "") -> dict[str, str]:
    """Return an entry; `worker` (`cluster:pid`) is the one that it tells of, if any."""
    return {
        "at": timezone.now().isoformat(timespec="milliseconds"),
        "kind": kind,
        "text": text,
        "worker": worker,
    }
