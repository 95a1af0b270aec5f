"""Users take turns: whoever submits a thousand jobs does not keep another's one waiting.

Each job has the number of the round in which it is run; in a round every user has one job. Workers
take jobs by their rounds, so the next one is found as fast as if there were no users. A user's jobs
have one round after the other, from the round on that the workers are at. Internal jobs are short
and go before all rounds.

The orders are those of the indexes; SQLite needs them in full.
"""

from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from cloudjobs.prepared import Hole, prepared_rows
from jobs.limits import full
from jobs.models import Job


def next_turn(owner: User) -> int:
    """Return the round of the next job of the user; those that follow it have the next ones."""
    return max(current_round(), highest(last_own_turn(Job, owner=owner.pk)) + 1)


def current_round() -> int:
    """Return the round of the next job that may run; if none may, the last round that is run."""
    now_full = full()
    if now_full:
        waiting = list(waiting_turns(Job.objects.filter(now_full.admits())))
    else:
        waiting = lowest_waiting_turn(Job)
    return highest(waiting or running_turns(Job))


def highest(turns: list[tuple[int]]) -> int:
    return max((turn for (turn,) in turns), default=0)


@prepared_rows
def last_own_turn(jobs: Any) -> QuerySet:
    own = jobs.visible().unfinished().filter(owner_id=Hole("owner"))
    return own.order_by("-turn").values_list("turn")[:1]


def waiting_turns(jobs: Any) -> Any:
    """Return the turn of that job of these which waits and is the next one."""
    waiting = jobs.visible().unfinished().leaves().filter(lease_token=None)
    return waiting.order_by("-is_internal", "turn").values_list("turn")[:1]


lowest_waiting_turn = prepared_rows(waiting_turns)


@prepared_rows
def running_turns(jobs: Any) -> QuerySet:
    """Return the turns of all jobs that workers have: as many as there are workers."""
    return jobs.leased().visible().order_by("owner", "lane").values_list("turn")
