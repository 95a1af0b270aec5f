"""Progress: of a leaf by the bytes that it has written, of an inner job by what is below it."""

from collections.abc import Iterable, Iterator
from typing import Any

ALMOST_DONE = 99  # percent; 100 is only for a job whose success is committed
LEAST_WEIGHT = 64 * 1024  # bytes that a job counts for in its parent's mean, though it moves none


class RolledUp:
    """The part of a job that sums up what is below it."""

    State: Any
    state: Any
    bytes_done: Any
    verified: Any
    weight: Any
    lft: Any
    rght: Any
    get_children: Any

    @property
    def progress(self) -> int:
        """Percent, 0 to 100: by bytes really written, and 100 only with success."""
        if self.state == self.State.SUCCESS:
            return 100
        return min(ALMOST_DONE, int(self.share_done() * 100))

    @property
    def sub_jobs(self) -> list[Any]:
        """The jobs directly below; asks nothing of the database after `with_trees`."""
        return [] if self.is_leaf else list(self.get_children())

    @property
    def is_leaf(self) -> bool:
        return bool(self.rght == self.lft + 1)

    @property
    def is_verifying(self) -> bool:
        """Has it, or all that is unfinished below it, come to comparing what was moved?"""
        if self.is_leaf:
            return bool(self.verified) and self.state == self.State.STARTED
        unfinished = [job for job in self.sub_jobs if job.state == self.State.STARTED]
        return bool(unfinished) and all(job.is_verifying for job in unfinished)

    def share_done(self) -> float:
        """Return how much of the work is done, 0 to 1; an inner job's is its children's mean."""
        if self.state == self.State.SUCCESS:
            return 1.0
        if self.is_leaf:
            whole = self.bytes_to_do()
            return (whole - self.bytes_left()) / whole if whole else 0.0
        total = sum(child.share_weight() for child in self.sub_jobs)
        done = sum(child.share_weight() * child.share_done() for child in self.sub_jobs)
        return done / total if total else 0.0  # of a tree that was purged a moment ago

    def bytes_to_do(self) -> int:
        """Return the bytes that a leaf has to move, and to compare if that is to be done."""
        return int(self.weight if self.verified is None else 2 * self.weight)

    def bytes_left(self) -> int:
        """Return how many of those are still to be moved and compared."""
        return int(self.bytes_to_do() - min(self.weight, self.bytes_done) - self.bytes_compared())

    def bytes_compared(self) -> int:
        """Return how many bytes of a leaf are known to be like their source; all with success."""
        if self.verified is None:
            return 0
        is_done = self.state == self.State.SUCCESS
        return int(self.weight if is_done else min(self.weight, self.verified))

    def bytes_worked(self) -> int:
        """Return how many bytes of a leaf were moved, and how many were compared."""
        left = 0 if self.state == self.State.SUCCESS else self.bytes_left()
        return self.bytes_to_do() - left

    def share_weight(self) -> int:
        """Return the bytes that this job counts for in its parent's mean."""
        if self.is_leaf:
            return max(self.weight, LEAST_WEIGHT)
        return sum(child.share_weight() for child in self.sub_jobs)


def outcome(states: Iterable[str]) -> str:
    """Return the state of a job whose children ended in these."""
    states = set(states)
    if states <= {"success"}:
        return "success"
    if "cancelled" in states and "failed" not in states:
        return "cancelled"
    return "failed"


def walk(nodes: Iterable[Any]) -> Iterator[Any]:
    """Yield each node of trees that are fetched, parents first."""
    for node in nodes:
        yield node
        yield from walk(node.sub_jobs)
