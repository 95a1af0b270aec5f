"""What the queue carries: wake-ups. Which jobs wait, and which is next, the database knows."""

import logging
import os
from functools import cache, partial
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django_q.brokers import Broker, get_broker
from django_q.tasks import async_task

logger = logging.getLogger(__name__)


def enqueue(uuid: UUID) -> None:
    """Put a message for the job on the queue: one more job waits, so one more worker may look.

    The database, as a queue, takes it with the transaction that the caller is in; Redis is told
    once that is committed.
    """
    if "orm" in settings.Q_CLUSTER:
        send(uuid)
    else:
        transaction.on_commit(partial(send_or_log, uuid))


def send(uuid: UUID) -> None:
    options = {"task_name": str(uuid), "broker": queue()}
    async_task("jobs.tasks.run_job", str(uuid), q_options=options)


@cache
def queue() -> Broker:
    """Return this process's end of the queue; django-q2 would open one for each message."""
    if not settings.REDIS_URL:
        return get_broker()
    from jobs.redis_broker import RedisQueue

    return RedisQueue()


os.register_at_fork(after_in_child=queue.cache_clear)


def send_or_log(uuid: UUID) -> None:
    """Log if the queue cannot be reached: the job is in the database, and the sweep finds it."""
    try:
        send(uuid)
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
