"""Which operations there are. An app registers its own in `ready()`, so jobs knows none of them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

from jobs.models import Job
from jobs.progress import Progress


class Operation(ABC):
    """What a kind of job does. `is_internal` operations are never shown to users."""

    name: ClassVar[str]
    is_internal: ClassVar[bool] = False

    @abstractmethod
    def run(self, job: Job, progress: Progress) -> None:
        """Do the work of a leaf, from `job.cursor` on.

        It may run again after it was interrupted anywhere, so it must be idempotent.

        Raises:
            OperationFailed: the work cannot be done; its message is shown to the owner.
        """

    @abstractmethod
    def settle(self, job: Job) -> None:
        """Put the job's resources into the status that its outcome calls for.

        Runs in the transaction that ends the job, with the outcome in `job.state`.
        """

    def lock(self, job: Job) -> None:  # noqa: B027  most have nothing that goes before jobs
        """Lock the rows that are locked before jobs and that `revive` changes.

        Called before the job's tree is locked, as it is to be cancelled or retried.
        """

    def lock_resources(self, jobs: Sequence[Job]) -> None:  # noqa: B027  or only one row each
        """Lock what settling or reviving these jobs changes: all at once, so in one order."""

    def ask(self, job: Job) -> None:  # noqa: B027  most ask nobody
        """Ask what `discard` will need, which may hang: nothing is locked yet."""

    def discard(self, job: Job) -> None:  # noqa: B027  most have nothing to free
        """Free what a cancelled job has left outside of the database; may be called again."""

    def revive(self, job: Job) -> None:  # noqa: B027  or nothing to put back
        """Put the job's resources back to where the work may go on, as it is to be retried.

        Sets what `job.cursor` and `job.bytes_done` still hold; runs in the transaction that makes
        the job wait again.

        Raises:
            PointedError: it cannot be retried; its message is shown to the user.
        """


_operations: dict[str, Operation] = {}
_purges: list[Callable[[], None]] = []


def register(operation: type[Operation]) -> None:
    """Make an operation known under its name."""
    _operations[operation.name] = operation()


def get_operation(name: str) -> Operation:
    """Return the operation of that name.

    Raises:
        LookupError: no installed app registered one.
    """
    if name not in _operations:
        raise LookupError(f"no operation is registered as {name!r}")
    return _operations[name]


def register_purge(purge: Callable[[], None]) -> None:
    """Have something else deleted whenever old jobs are."""
    if purge not in _purges:
        _purges.append(purge)


def registered_purges() -> list[Callable[[], None]]:
    return _purges


def all_operations() -> list[str]:
    return sorted(_operations)


def visible_operations() -> list[str]:
    """Return the names of the operations that users see."""
    return sorted(name for name, one in _operations.items() if not one.is_internal)
