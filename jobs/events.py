"""The log of a job: what happened to it, each with its time, in the words that its owner reads."""

from enum import StrEnum

from django.utils import timezone
from django_guid.context import guid


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


BY_PEOPLE = (EventKind.SUBMITTED, EventKind.RETRIED, EventKind.CANCELLED)


def event(kind: EventKind, text: str, worker: str = "") -> dict[str, str]:
    """Return an entry; `worker` (`cluster:pid`) is the one that it tells of, if any.

    What a person did has the id of the request, by which the lines of the log are found.
    """
    request = guid.get()
    return {
        "at": timezone.now().isoformat(timespec="milliseconds"),
        "kind": kind,
        "text": text,
        "worker": worker,
        **({"request": request} if request and kind in BY_PEOPLE else {}),
    }
