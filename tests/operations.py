"""Operations made for tests: they note what happened to them, work, fail or break."""

from jobs.exceptions import OperationFailed
from jobs.models import Job
from jobs.progress import Progress
from jobs.registry import Operation

settled: list[tuple[str, str]] = []  # (job, state) of every settle in this process


class Noted(Operation):
    """Does nothing, with success."""

    name = "test_noted"

    def run(self, job: Job, progress: Progress) -> None:
        progress.report(job.weight, job.weight, "test")

    def settle(self, job: Job) -> None:
        settled.append((str(job.pk), job.state))


class Failing(Noted):
    """Fails with a sentence for its owner."""

    name = "test_failing"

    def run(self, job: Job, progress: Progress) -> None:
        raise OperationFailed("The disk is on fire.")


class Breaking(Noted):
    """Fails in a way that nobody expected."""

    name = "test_breaking"

    def run(self, job: Job, progress: Progress) -> None:
        raise ZeroDivisionError("secret detail")


class Asking(Noted):
    """Has something to write into the database before it is done."""

    name = "test_asking"

    def run(self, job: Job, progress: Progress) -> None:
        Job.objects.filter(pk=job.pk).update(method="asked")


class Internal(Noted):
    """A job that users do not see."""

    name = "test_internal"
    is_internal = True


ALL = (Noted, Failing, Breaking, Asking, Internal)
