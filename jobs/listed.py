"""Jobs as a list shows them: rows of the columns that their JSON is made of, and nothing more.

A list may have a hundred thousand of them. To make a model's instance of a row takes Django several
times longer than to read it and to write its JSON.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from jobs.models import Job
from jobs.roll_up import RolledUp


class Columns(NamedTuple):
    """What is read of each job."""

    pk: UUID
    tree_id: int
    lft: int
    rght: int
    operation: str
    resources: list[dict[str, Any]]
    state: str
    error: str
    weight: int
    bytes_done: int
    verified: int | None
    created: datetime
    last_modified: datetime

    @property
    def uuid(self) -> UUID:
        return self.pk


class ListedJob(RolledUp, Columns):
    """A row that sums up what is below it as a `Job` does; `JobSerializer` takes both."""

    State = Job.State
    below: list["ListedJob"]

    def get_children(self) -> list["ListedJob"]:
        return self.below


def columns_of(jobs: QuerySet[Any]) -> QuerySet[Any]:
    """Return the same query for rows that `listed_jobs` takes."""
    return jobs.values_list(*Columns._fields)


def listed_jobs(rows: Iterable[tuple[Any, ...]]) -> list[ListedJob]:
    """Return the jobs of these rows with all below them: one more query, however many rows.

    Trees that were purged since the rows were read are left out.
    """
    jobs = [ListedJob._make(row) for row in rows]
    trees = {job.tree_id for job in jobs if not job.is_leaf}
    if not trees:
        return jobs
    nodes = columns_of(Job.objects.filter(tree_id__in=trees)).order_by("tree_id", "lft")
    fetched = {node.pk: node for node in joined(map(ListedJob._make, nodes))}
    return [fetched.get(job.pk, job) for job in jobs if job.is_leaf or job.pk in fetched]


def joined(nodes: Iterable[ListedJob]) -> list[ListedJob]:
    """Give each node its children; they come tree by tree, and parents first."""
    done: list[ListedJob] = []
    above: list[ListedJob] = []
    for node in nodes:
        while above and not is_inside(node, above[-1]):
            above.pop()
        if above:
            above[-1].below.append(node)
        node.below = []
        above.append(node)
        done.append(node)
    return done


def is_inside(node: ListedJob, other: ListedJob) -> bool:
    return node.tree_id == other.tree_id and other.lft < node.lft < other.rght
