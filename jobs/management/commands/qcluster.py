"""`manage.py qcluster`: django-q2's command, with a cluster that stops cleanly."""

from typing import Any

from django.core.management.base import BaseCommand

from jobs.shutdown import DrainingCluster, detach_children


class Command(BaseCommand):
    help = "Runs a cluster of clone workers until SIGTERM or SIGINT."

    def handle(self, *args: Any, **options: Any) -> None:
        detach_children()
        DrainingCluster().start()
