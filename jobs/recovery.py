"""Finds jobs that would wait for ever, and jobs that no worker survives.

A worker died, a message was lost between commit and queue, or the queue's store was emptied. Jobs
whose lease is stale count as waiting, so whoever gets a message takes them up where they stopped.
"""

import logging

from django_q.brokers import get_broker

from jobs.endings import give_up
from jobs.limits import full
from jobs.models import Job
from jobs.tasks import enqueue

logger = logging.getLogger(__name__)


def sweep() -> int:
    """Fail what costs too many workers, queue the messages that are missing; return how many."""
    give_up_exhausted()
    return queue_missing()


def give_up_exhausted() -> None:
    """Fail the jobs whose attempts are used up; one that cannot be failed stops no other."""
    for job in Job.objects.exhausted().order_by("queued_at"):
        try:
            give_up(job)
        except Exception:
            logger.exception("not given up", extra={"job": str(job.pk)})


def queue_missing() -> int:
    """Queue as many messages as there are fewer of them than jobs that may run; return how many."""
    waiting = Job.objects.claimable().filter(full().admits()).order_by("queued_at")
    waiting = waiting.values_list("pk", flat=True)
    missing = max(0, waiting.count() - messages_waiting())
    for uuid in waiting[:missing]:
        enqueue(uuid)
    if missing:
        logger.info("jobs without a message were queued", extra={"jobs": missing})
    return missing


def messages_waiting() -> int:
    """Return the number of messages that the queue holds."""
    return int(get_broker().queue_size())
