"""`manage.py limit_bandwidth`: tells and changes what storage hosts may move each second."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from cloudjobs.pages.fields import RateField
from cloudjobs.pages.measures import rate_text
from drives.bandwidth import limit_bandwidth
from drives.storage import StorageError, StorageHost, all_hosts


class Command(BaseCommand):
    help = "Limits a storage host while everything runs; without arguments it tells all limits."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("host", nargs="?", help="name of a storage host")
        wanted = parser.add_mutually_exclusive_group()
        wanted.add_argument(
            "bandwidth", nargs="?", help="such as 50MiB; a bare number is bytes per second"
        )
        wanted.add_argument("--default", action="store_true", help="take what the settings say")

    def handle(self, *args: Any, **options: Any) -> None:
        host, bandwidth = options["host"], rate_of(options["bandwidth"])
        if host is None and options["default"]:
            raise CommandError("Name the storage host.")
        if host is not None and bandwidth is None and not options["default"]:
            raise CommandError("Give the bandwidth, or --default.")
        if host is not None:
            self.limit(host, bandwidth)
        for each in all_hosts():
            self.stdout.write(f"{each.name}: {told(each)}")

    def limit(self, host: str, bandwidth: int | None) -> None:
        try:
            limit_bandwidth(host, bandwidth)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error


def rate_of(text: str | None) -> int | None:
    """Return the bytes per second that are wanted, if any."""
    try:
        rate: int | None = RateField(required=False).clean(text)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
    return rate


def told(host: StorageHost) -> str:
    """Return in words how a host is limited at this moment."""
    limiter = host.backend.limiter
    try:
        rate = limiter.rate if limiter else None
        if limiter is None or rate is None:
            return "not limited"
        whose = "set" if limiter.set_rate else "by the settings"
        return f"{rate} bytes per second ({rate_text(rate)}), {whose}"
    except StorageError as error:
        return f"not known. {error}"
