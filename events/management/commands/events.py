"""`manage.py events`: serves events over web sockets."""

import asyncio
import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from cloudjobs import environment
from events.hearing import AlreadyHeard
from events.serving import serve_events


class Command(BaseCommand):
    help = "Serves events over web sockets until SIGTERM or SIGINT."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            asyncio.run(serve_events(environment.host(), settings.EVENTS_PORT))
        except (AlreadyHeard, OSError) as error:
            raise CommandError(str(error)) from error
        os._exit(0)  # a thread may wait for a database that does not answer
