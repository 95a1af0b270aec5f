"""`manage.py prepare`: what has to happen before the first request, then where to find what."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from accounts.models import User
from cloudjobs import environment
from servers.management.commands import create_demo


class Command(BaseCommand):
    help = "Migrates, collects static files, fills an empty database with the demo account."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        call_command("check", databases=["default"])
        call_command("collectstatic", verbosity=0, interactive=False)
        call_command("create_demo", stdout=self.stdout)
        web = environment.address(environment.number("PORT", 8000))
        events = f"{environment.address(settings.EVENTS_PORT, 'ws')}/websocket"
        self.stdout.write(f"address     {web}/")
        self.stdout.write(f"events      {settings.EVENTS_URL or events}")
        if User.objects.filter(email=create_demo.EMAIL).exists():
            self.stdout.write(f"demo login  {create_demo.EMAIL} / {create_demo.PASSWORD}")
        self.stdout.write(f"data        {settings.CLOUDJOBS_HOME}")
