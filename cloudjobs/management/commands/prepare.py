"""`manage.py prepare`: what has to happen before the first request, then where to find what."""

import os
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from accounts.models import User
from servers.management.commands import create_demo


class Command(BaseCommand):
    help = "Migrates, collects static files, fills an empty database with the demo account."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        call_command("check", databases=["default"])
        call_command("collectstatic", verbosity=0, interactive=False)
        call_command("create_demo", stdout=self.stdout)
        self.stdout.write(f"address     {address()}/")
        self.stdout.write(f"events      {events_address()}")
        if User.objects.filter(email=create_demo.EMAIL).exists():
            self.stdout.write(f"demo login  {create_demo.EMAIL} / {create_demo.PASSWORD}")
        self.stdout.write(f"data        {settings.CLOUDJOBS_HOME}")


def address() -> str:
    """Return where the web server will listen; it speaks TLS if it finds a certificate."""
    scheme = "https" if os.environ.get("GRANIAN_SSL_CERTIFICATE") else "http"
    return f"{scheme}://{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"


def events_address() -> str:
    """Return the address of the web socket: the public one if it is told, else its own."""
    scheme, host = address().rsplit(":", 1)[0].split("://")
    own = f"{scheme.replace('http', 'ws')}://{host}:{settings.EVENTS_PORT}/websocket"
    return settings.EVENTS_URL or own
