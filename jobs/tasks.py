"""What the queue carries: the uuid of a job, as a wake-up for whoever takes it."""

import logging
from uuid import UUID

from django_q.tasks import async_task

logger = logging.getLogger(__name__)


def enqueue(uuid: UUID) -> None:
    """Put a message for the job on the queue.

    A queue that cannot be reached is logged: the job is in the database, waiting.
    """
    try:
        async_task("jobs.tasks.run_job", str(uuid), q_options={"task_name": str(uuid)})
    except Exception:
        logger.exception("the queue does not take the message for job %s", uuid)


def run_job(uuid: str) -> None:
    """Run the job that a message names."""
    from jobs import runner

    runner.run(UUID(uuid))
