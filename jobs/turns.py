"""Users take turns: whoever submits a thousand jobs does not keep another's one waiting.

Each job has the number of the round in which it is run; in a round every user has one job. Workers
take jobs by their rounds, so the next one is found as fast as if there were no users. A user's jobs
have one round after the other, from the round on that the workers are at. Internal jobs are short
and go before all rounds.
"""

from accounts.models import User
from jobs.models import Job
from jobs.querysets import JobQuerySet


def next_turn(owner: User) -> int:
    """Return the round of the next job of the user; those that follow it have the next ones."""
    unfinished = Job.objects.visible().unfinished()
    return max(current_round(unfinished), highest(unfinished.filter(owner=owner)) + 1)


def current_round(unfinished: JobQuerySet) -> int:
    """Return the round of the next job that waits; if none does, the last round of all."""
    waiting = unfinished.leaves().filter(lease_token=None).order_by("turn")
    lowest = waiting.values_list("turn", flat=True).first()
    return highest(unfinished) if lowest is None else lowest


def highest(unfinished: JobQuerySet) -> int:
    """Return the last round that jobs have, 0 if there are none."""
    return unfinished.order_by("-turn").values_list("turn", flat=True).first() or 0
