"""Finds jobs that wait although no message will wake a worker for them.

A worker died, a message was lost between commit and queue, or the queue's store was emptied. Jobs
whose lease is stale count as waiting, so whoever gets a message takes them up where they stopped.
"""

import logging

from django_q.brokers import get_broker

from jobs.models import Job
from jobs.tasks import enqueue

logger = logging.getLogger(__name__)


def sweep() -> int:
    """Queue as many messages as there are fewer of them than waiting jobs; return how many."""
    waiting = Job.objects.claimable().order_by("queued_at").values_list("pk", flat=True)
    missing = max(0, waiting.count() - messages_waiting())
    for uuid in waiting[:missing]:
        enqueue(uuid)
    if missing:
        logger.info("jobs without a message were queued", extra={"jobs": missing})
    return missing


def messages_waiting() -> int:
    """Return the number of messages that the queue holds."""
    return int(get_broker().queue_size())
