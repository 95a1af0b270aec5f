"""Users take turns: whoever submits a thousand jobs does not keep another's one waiting.

Each job has the number of the round in which it is run; in a round every user has one job. Workers
take jobs by their rounds, so the next one is found as fast as if there were no users. A user's jobs
have one round after the other, from the round on that the workers are at. Internal jobs are short
and go before all rounds.

The orders are those of the indexes; SQLite needs them in full.
"""

from typing import Any, NamedTuple

from django.db.models import BigIntegerField, F, Func, OuterRef, QuerySet, Subquery, Value

from accounts.models import User
from cloudjobs.prepared import Hole, database, prepared_rows
from jobs.limits import full
from jobs.models import Job

TREE_NUMBERS = "jobs_tree_number"  # the PostgreSQL sequence, made by a migration


class Place(NamedTuple):
    """Where a user's next tree goes: the number that no other tree has, and the round of its first
    job; the jobs that follow it have the next ones.
    """

    tree: int
    turn: int


def next_place(owner: User) -> Place:
    """Return where the next tree of the user goes, by one query while nothing is limited."""
    ((tree, waiting, own),) = numbers_around(User, owner=owner.pk)
    now_full = full()
    if now_full:
        waiting = waiting_turns(Job.objects.filter(now_full.admits())).first()
    current = last_running() if waiting is None else waiting
    return Place(tree or 1, max(current, (own or 0) + 1))


@prepared_rows
def numbers_around(users: Any) -> QuerySet:
    """Return a tree's number, the turn of the job that is the next one, and that of the user's last
    job; None where there is no job.
    """
    own = Job.objects.visible().unfinished().filter(owner_id=OuterRef("pk"))
    last_own = own.order_by("-turn").values("turn")[:1]
    asked = users.filter(pk=Hole("owner")).order_by()
    turns = Subquery(waiting_turns(Job.objects)), Subquery(last_own)
    return asked.values_list(next_tree_number(), *turns)


def next_tree_number() -> Func | Subquery:
    """Return a number that no other tree has, as part of a query.

    django-mptt takes the highest number plus one, which two transactions may read alike. A
    sequence gives each its own, and SQLite lets one writer in at a time (its transactions are
    IMMEDIATE). Should either ever fail, the constraint on the roots refuses the second commit.
    """
    if database().vendor == "postgresql":
        return Func(Value(TREE_NUMBERS), function="nextval", output_field=BigIntegerField())
    highest = Job.objects.order_by("-tree_id").annotate(next=F("tree_id") + 1)
    return Subquery(highest.values("next")[:1])


def waiting_turns(jobs: Any) -> Any:
    """Return the turn of that job of these which waits and is the next one, as a query."""
    waiting = jobs.visible().unfinished().leaves().filter(lease_token=None)
    return waiting.order_by("-is_internal", "turn").values_list("turn", flat=True)[:1]


def last_running() -> int:
    """Return the last round of which a job runs; there are as many as there are workers."""
    return max((turn for (turn,) in running_turns(Job)), default=0)


@prepared_rows
def running_turns(jobs: Any) -> QuerySet:
    return jobs.leased().visible().order_by("owner", "lane").values_list("turn")
