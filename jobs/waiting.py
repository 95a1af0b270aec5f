"""`?wait=SECONDS` on a job: the answer comes when the job has ended, or when the time is over.

A request that waits keeps a thread of the web server. So only some may wait at once, the others are
answered at once; nobody may wait for long; and a web server that stops waits for nobody.
"""

import os
import select
import signal
import time
from threading import BoundedSemaphore

from django.conf import settings
from rest_framework.request import Request

from cloudjobs.api.exceptions import Invalid
from cloudjobs.api.openapi.exchanges import parameter
from cloudjobs.api.pagination import natural_number
from jobs.models import Job

LONGEST_WAIT = 25  # seconds; many a proxy gives up after 30
LOOK_EVERY = 0.2  # seconds
WAIT = parameter(
    "wait",
    {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT},
    "Seconds for which the answer may wait until the job has ended",
)
PLACES = BoundedSemaphore(settings.WAITING_REQUESTS)

_stop_signals: list[int] = []  # a descriptor that can be read once the process is to stop


def heed_stop() -> None:
    """Have the requests of this process wait no longer once a signal tells it to stop.

    The web server sets handlers of its own after it has loaded the application, so this listens
    where Python notes every signal that it handles.
    """
    receiver, sender = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(sender, warn_on_full_buffer=False)
    _stop_signals.append(receiver)


def asked_seconds(request: Request) -> int:
    """Return how long a request is willing to wait.

    Raises:
        Invalid: it is no number of seconds from 0 on, or too many.
    """
    seconds = natural_number(request, "wait", 0)
    if seconds > LONGEST_WAIT:
        raise Invalid(f"No request waits longer than {LONGEST_WAIT} seconds.", "wait")
    return seconds


def wait_for_end(job: Job, seconds: int) -> None:
    """Return when the job has ended or the time is over; at once if all places are taken."""
    if not seconds or not PLACES.acquire(blocking=False):
        return
    try:
        over = time.monotonic() + seconds
        unfinished = Job.objects.unfinished().filter(pk=job.pk)
        while unfinished.exists() and time.monotonic() < over and not stops_within(LOOK_EVERY):
            pass
    finally:
        PLACES.release()


def stops_within(seconds: float) -> bool:
    """Wait so long, unless the process is to stop; tell whether it is."""
    readable, _, _ = select.select(_stop_signals, [], [], seconds)
    return bool(readable)
