"""`manage.py qcluster`: django-q2's command, with a cluster that stops cleanly and heals itself."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from jobs.cluster import survive_killed_workers
from jobs.heartbeat import Heartbeat, call_cluster, heed_guard
from jobs.presence import cluster_here
from jobs.recovery import sweep
from jobs.shutdown import DrainingCluster, detach_children, is_draining
from jobs.sweeper import Sweeper


class Command(BaseCommand):
    help = "Runs a cluster of clone workers until SIGTERM or SIGINT."

    def handle(self, *args: Any, **options: Any) -> None:
        survive_killed_workers()
        heed_guard()
        detach_children()
        sweep()
        cluster = DrainingCluster()
        row = cluster_here(cluster.cluster_id, settings.WORKERS)
        row.appear()
        call_cluster(row.name)
        connections.close_all()  # what is forked must not share them
        cluster.start()
        heartbeat, sweeper = Heartbeat(row), Sweeper()
        heartbeat.start()  # only now: nothing is forked from here on
        sweeper.start()
        cluster.sentinel.join()
        if not is_draining():  # a supervisor restarts what failed, not what ended
            raise CommandError("The process that replaces dead workers died itself.")
        sweeper.end()
        heartbeat.end()
