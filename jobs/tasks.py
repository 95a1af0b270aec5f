"""What the queue carries: wake-ups. Which jobs wait, and which is next, the database knows."""

import logging
from uuid import UUID

from django_q.tasks import async_task

logger = logging.getLogger(__name__)


def enqueue(uuid: UUID) -> None:
    """Put a message for the job on the queue: one more job waits, so one more worker may look.

    A queue that cannot be reached is logged: the job is in the database, and the sweep finds it.
    """
    try:
        async_task("jobs.tasks.run_job", str(uuid), q_options={"task_name": str(uuid)})
    except Exception:
        logger.exception("the queue does not take the message for job %s", uuid)


def run_job(uuid: str) -> None:
    """Run jobs until none waits; the one that the message was sent for has its turn among them.

    Going back to the queue for each would cost as much as a small job. The messages of the others
    find nothing to do. Nor does that of a job which may not run yet: who ends what it waits for
    goes on with it.
    """
    from jobs import limits, runner

    if not limits.is_held_back(UUID(uuid)):
        runner.run_waiting()


def sweep() -> None:
    """Queue a message for each job that waits without one."""
    from jobs import recovery

    recovery.sweep()


def purge() -> None:
    """Delete the jobs whose time is over."""
    from jobs import retention

    retention.purge()
