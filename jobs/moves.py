"""The moves that a worker makes with every job, as statements that are compiled once.

Each is a single UPDATE that also asks whether the job is still in the state that it starts from.
"""

from typing import Any

from django.db.models import F, JSONField, QuerySet
from django.db.models.functions import Coalesce, Greatest, Least, Now

from cloudjobs.prepared import Hole, prepared_get, prepared_update

LOG = JSONField()
Move = tuple[QuerySet, dict[str, Any]]


@prepared_get
def next_in_turn(jobs: Any) -> QuerySet:
    """Return the job that a free worker takes, its row locked; what others have locked is passed.

    Internal jobs are short, and somebody waits for each; of the others, users take turns.
    """
    return waiting_in_turn(jobs)[:1]


def waiting_in_turn(jobs: Any) -> Any:
    """Return those of the jobs that wait, in the order in which they are run."""
    waiting = jobs.claimable().order_by("-is_internal", "turn", "queued_at", "pk")
    return waiting.select_for_update(skip_locked=True, no_key=True)


@prepared_update
def claim(jobs: Any) -> Move:
    """Take the lease of a waiting leaf under a fresh token."""
    return jobs.claimable().filter(pk=Hole("pk")), {
        "lease_token": Hole("token"),
        "worker": Hole("worker"),
        "heartbeat_at": Now(),
        "claimed_at": Now(),
        "started_at": Coalesce("started_at", Now()),
        "last_modified": Now(),
        "attempts": F("attempts") + 1,
        "fruitless": F("fruitless") + 1,
        "events": Hole("events", LOG),
    }


@prepared_update
def end(jobs: Any) -> Move:
    """Finish a leased job: state, times, and what was reported last."""
    return leased(jobs), {
        "state": Hole("state"),
        "error": Hole("error"),
        "error_code": Hole("error_code"),
        "error_hint": Hole("error_hint"),
        "bytes_done": Least(Greatest(F("bytes_done"), Hole("bytes_done")), F("weight")),
        "cursor": Hole("cursor"),
        "method": Hole("method"),
        "samples": Hole("samples", LOG),
        "events": Hole("events", LOG),
        "rate": None,
        "lease_token": None,
        "finished_at": Now(),
        "last_modified": Now(),
    }


def leased(jobs: Any) -> Any:
    """Return the unfinished job that is leased under a token."""
    return jobs.unfinished().filter(pk=Hole("pk"), lease_token=Hole("token"))
