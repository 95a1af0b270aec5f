"""What is announced of jobs: that they changed, and where they begin or end what they work on, too.

Jobs move by UPDATEs, and so does what they work on when they end; no signal tells of these. An
internal job is not shown to anybody, but what it works on is.
"""

from collections.abc import Iterable
from typing import Any

from cloudjobs.announcing import Thing, announce

KIND = "jobs"


def announce_job(job: Any) -> None:
    """Announce a job that got on, once that is committed."""
    announce(job.owner_id, themselves(job))


def announce_work(jobs: Iterable[Any]) -> None:
    """Announce jobs of one owner that begin, end or begin again, with all that they work on."""
    listed = list(jobs)
    if listed:
        things = dict.fromkeys(thing for each in listed for thing in touched(each))
        announce(listed[0].owner_id, things)


def themselves(job: Any) -> list[Thing]:
    """Return the job as something to be announced, if it is one that its owner sees."""
    return [] if job.is_internal else [(KIND, str(job.pk))]


def touched(job: Any) -> list[Thing]:
    """Return what changes with the job's state."""
    return [*themselves(job), *((each["kind"], str(each["uuid"])) for each in job.resources)]
