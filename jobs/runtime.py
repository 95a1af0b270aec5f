"""What a job is doing now: the live figures behind `/jobs/{uuid}/runtime/` and the pages."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from jobs.limits import why_held_back
from jobs.models import Job
from jobs.roll_up import walk


def runtime_of(job: Job) -> dict[str, Any]:
    """Return the live figures of a job that comes from `with_trees`; one of a tree are sums.

    Sizes are bytes, `rate` is bytes per second (after the end the mean while it ran), `eta` is
    seconds or None while it cannot be told. Costs a query or two, and only while the job waits.
    """
    leaves = [node for node in walk([job]) if node.is_leaf]
    done, total = sum(leaf.bytes_done for leaf in leaves), sum(leaf.weight for leaf in leaves)
    rate = mean_rate(leaves) if job.is_finished else live_rate(leaves)
    return {
        "phase": phase_of(job, leaves, done, total),
        "bytes_done": done,
        "bytes_total": total,
        "rate": rate,
        "eta": time_left(job, leaves, rate),
        "method": ", ".join(sorted({leaf.method for leaf in leaves if leaf.method})),
        "attempts": max((leaf.attempts for leaf in leaves), default=0),
        "worker": ", ".join(sorted({leaf.worker for leaf in leaves if is_running(leaf)})),
        "queue": place_in_queue(leaves),
        "started_at": min((leaf.started_at for leaf in leaves if leaf.started_at), default=None),
        "finished_at": job.finished_at,
        "error": error_of(job),
    }


def is_running(leaf: Job) -> bool:
    """Does a worker have it, that was heard of lately?"""
    if leaf.is_finished or leaf.lease_token is None or leaf.heartbeat_at is None:
        return False
    return leaf.heartbeat_at > timezone.now() - timedelta(seconds=settings.JOB_LEASE_SECONDS)


def phase_of(job: Job, leaves: list[Job], done: int, total: int) -> str:
    """Return `waiting`, `copying`, `verifying` or `finishing`, or how the job ended."""
    if job.is_finished:
        return str(job.state)
    if not any(is_running(leaf) for leaf in leaves):
        return "waiting"
    if job.is_verifying:
        return "verifying"
    return "finishing" if done >= total else "copying"


def live_rate(leaves: Iterable[Job]) -> int | None:
    """Return how fast all that run are together, or None as long as none can tell."""
    rates = [leaf.rate for leaf in leaves if is_running(leaf) and leaf.rate is not None]
    return sum(rates) if rates else None


def mean_rate(leaves: list[Job]) -> int | None:
    """Return the bytes per second, moved or compared, while leaves ran that have ended."""
    seconds = seconds_run(leaves)
    return round(sum(leaf.bytes_worked() for leaf in leaves) / seconds) if seconds else None


def seconds_run(leaves: Iterable[Job]) -> float | None:
    """Return how long at least one of the leaves ran, in its last run; None if none did.

    The time in which all had ended, or waited for their first worker, is none of it: a clone that
    was cancelled and is retried a day later did not take a day.
    """
    now = timezone.now()
    runs = sorted((leaf.started_at, leaf.finished_at or now) for leaf in leaves if leaf.started_at)
    if not runs:
        return None
    whole, reached = timedelta(), runs[0][0]
    for begin, end in runs:
        whole += max(timedelta(), end - max(begin, reached))
        reached = max(reached, end)
    return whole.total_seconds()


def time_left(job: Job, leaves: Iterable[Job], rate: int | None) -> int | None:
    """Return the seconds that the rest takes at this rate."""
    if job.is_finished or not rate:
        return None
    return round(sum(leaf.bytes_left() for leaf in leaves) / rate)


def place_in_queue(leaves: list[Job]) -> dict[str, Any] | None:
    """Return the place of the job's first leaf that waits, if none of it runs, and why it waits."""
    waiting = [leaf for leaf in leaves if not leaf.is_finished and not is_running(leaf)]
    if not waiting or any(is_running(leaf) for leaf in leaves):
        return None
    first = min(waiting, key=lambda leaf: (leaf.turn, leaf.queued_at))
    earlier = Q(is_internal=True) | Q(turn__lt=first.turn)
    earlier |= Q(turn=first.turn, queued_at__lt=first.queued_at)
    ahead = Job.objects.claimable().filter(earlier).exclude(pk=first.pk).count()
    return {"position": ahead + 1, "reason": reason_to_wait(first, ahead)}


def reason_to_wait(leaf: Job, ahead: int) -> str:
    """Return a sentence; the times of waiting are the owner's first question."""
    if leaf.lease_token is not None:
        return "Its worker was not heard of any more; the next free one goes on with it."
    held = why_held_back(leaf)
    if held:
        return held
    if ahead:
        more = "1 more job is" if ahead == 1 else f"{ahead} more jobs are"
        return f"All workers are busy, and {more} first."
    return "The next free worker takes it."


def error_of(job: Job) -> dict[str, str] | None:
    """Return why the job failed, or None."""
    if job.state != Job.State.FAILED:
        return None
    return {"code": job.error_code, "message": job.error, "hint": job.error_hint}
