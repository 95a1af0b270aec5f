"""Users take turns: whoever submits a thousand jobs does not keep another's one waiting.

Each job has the number of the round in which it is run; in a round every user has one job. Workers
take jobs by their rounds, so the next one is found as fast as if there were no users. A user's jobs
have one round after the other, from the round on that the workers are at. Internal jobs are short
and go before all rounds.
"""

from django.db.models import Max

from accounts.models import User
from jobs.limits import full
from jobs.models import Job
from jobs.querysets import JobQuerySet


def next_turn(owner: User) -> int:
    """Return the round of the next job of the user; those that follow it have the next ones."""
    unfinished = Job.objects.visible().unfinished()
    last_own = first_turn(unfinished.filter(owner=owner).order_by("-turn"))
    return max(current_round(unfinished), (last_own or 0) + 1)


def current_round(unfinished: JobQuerySet) -> int:
    """Return the round of the next job that may run; if none may, the last round that is run.

    The orders are those of the index `job_unfinished`; SQLite needs them in full.
    """
    waiting = unfinished.leaves().filter(full().admits(), lease_token=None)
    lowest = first_turn(waiting.order_by("-is_internal", "turn"))
    if lowest is not None:
        return lowest
    return Job.objects.leased().visible().aggregate(last=Max("turn"))["last"] or 0


def first_turn(jobs: JobQuerySet) -> int | None:
    turn: int | None = jobs.values_list("turn", flat=True).first()
    return turn
