"""Which clusters of workers there are: each keeps a row of its own and renews it while it runs.

All times are of the database's clock, but for `started_at` and `clock`, which are of the cluster's
machine: `clock` is what it had at the last sign of life, so that one whose clock is wrong is found.
"""

import os
import socket
import uuid
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Now
from django.utils import timezone

from cloudjobs.version import running_version

HEARTBEAT_SECONDS = 10
GONE_AFTER = timedelta(seconds=35)  # three heartbeats that did not come
FORGOTTEN_AFTER = timedelta(days=1)
NAME_DIGITS = 8
LONGEST_HOST = 64


class ClusterQuerySet(models.QuerySet["Cluster"]):
    def running(self) -> Self:
        """Return those that gave a sign of life lately, and did not end."""
        return self.filter(stopped_at=None, heartbeat_at__gte=Now() - GONE_AFTER)

    def gone(self) -> Self:
        """Return those that fell silent without having ended."""
        return self.filter(stopped_at=None, heartbeat_at__lt=Now() - GONE_AFTER)

    def missing(self) -> Self:
        """Return those that are gone, and that none has followed on their host."""
        later = self.model.objects.filter(host=OuterRef("host"), started_at__gt=OuterRef("clock"))
        return self.gone().filter(~Exists(later))

    def forgettable(self) -> Self:
        """Return those that were not heard of for so long that nobody asks any more."""
        return self.filter(heartbeat_at__lt=Now() - FORGOTTEN_AFTER)

    def with_silence(self) -> Self:
        """Add `silence`: how long ago each gave its last sign of life, as the database counts."""
        silence = models.ExpressionWrapper(
            Now() - F("heartbeat_at"), output_field=models.DurationField()
        )
        return self.annotate(silence=silence)


class Cluster(models.Model):
    """A `manage.py qcluster` and its workers.

    Its name is of the machine and a random number, as two of them may run on one machine, and
    containers may all have one host name; a worker is called `name:pid`.
    """

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=LONGEST_HOST + 1 + NAME_DIGITS)
    host = models.CharField(max_length=LONGEST_HOST)
    pid = models.PositiveIntegerField()
    workers = models.PositiveIntegerField("how many jobs it runs at once")
    version = models.CharField(max_length=32)
    started_at = models.DateTimeField(default=timezone.now)
    heartbeat_at = models.DateTimeField()
    clock = models.DateTimeField("the time of its machine at the heartbeat")
    stopped_at = models.DateTimeField(null=True, blank=True)
    bytes_copied = models.PositiveBigIntegerField("by its workers since it began", default=0)

    objects: ClassVar[Any] = ClusterQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["host", "started_at", "uuid"]

    def __str__(self) -> str:
        return self.name

    @property
    def clock_ahead(self) -> timedelta:
        """How far the clock of its machine is ahead of the database's."""
        return self.clock - self.heartbeat_at

    def appear(self) -> None:
        """Write the row."""
        self.clock = timezone.now()
        self.heartbeat_at = Now()
        self.save(force_insert=True)

    def beat(self, *, is_last: bool = False) -> None:
        """Give a sign of life, in one UPDATE; a row that is not there any more is written anew."""
        values: dict[str, Any] = {
            "heartbeat_at": Now(),
            "clock": timezone.now(),
            "bytes_copied": self.bytes_copied,
        }
        if is_last:
            values["stopped_at"] = Now()
        if not Cluster.objects.filter(pk=self.pk).update(**values) and not is_last:
            self.appear()


def cluster_here(key: uuid.UUID, workers: int) -> Cluster:
    """Return the cluster that this process is the main one of, not yet in the database."""
    host = socket.gethostname()[:LONGEST_HOST]
    return Cluster(
        uuid=key,
        name=f"{host}-{key.hex[:NAME_DIGITS]}",
        host=host,
        pid=os.getpid(),
        workers=workers,
        version=running_version(),
    )
