"""`manage.py doctor`: what is wrong with this installation, and what to do about it."""

import json
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cloudjobs.doctor import Check, Finding, Level, database, examine, storage, web, workers

DATABASE = (
    Check("database", database.check_connection, needs_database=False, is_foundation=True),
    Check("migrations", database.check_migrations, is_foundation=True),
    Check("durability", database.check_durability),
    Check("clock", database.check_clock),
    Check("schedules", workers.check_schedules),
    Check("clusters", workers.check_clusters),
    Check("waiting", workers.check_waiting),
    Check("demo account", web.check_demo),
)
OTHERS = (
    Check("settings", web.check_settings, needs_database=False),
    Check("queue", workers.check_queue, needs_database=False),
    Check("protection", web.check_protection, needs_database=False),
    Check("secrets", web.check_secrets, needs_database=False),
    Check("open files", web.check_files, needs_database=False),
    Check("events", web.check_events, needs_database=False),
)


class Command(BaseCommand):
    help = "Looks at the installation; says what is wrong and what to do. Fails on a problem."
    requires_system_checks = ()  # it runs them itself, and goes on

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="write it for programs")
        parser.add_argument("--url", help="the web server's address, to ask whether it is ready")

    def handle(self, *args: Any, **options: Any) -> None:
        checks = [*DATABASE, *OTHERS, *storage.storage_checks()]
        if options["url"]:
            look = partial(web.check_ready, options["url"])
            checks.append(Check("web", look, needs_database=False))
        found = []
        for name, finding in examine(checks):
            found.append((name, finding))
            if not options["json"]:
                self.write(name, finding)
        if options["json"]:
            self.stdout.write(as_json(found))
        problems = sum(finding.level == Level.PROBLEM for _, finding in found)
        if problems:
            raise CommandError(f"{problems} problem{'s' if problems > 1 else ''}.")

    def write(self, name: str, finding: Finding) -> None:
        styles = {
            Level.OK: self.style.SUCCESS,
            Level.WARNING: self.style.WARNING,
            Level.PROBLEM: self.style.ERROR,
        }
        level = styles[finding.level](f"{finding.level:<8}")
        self.stdout.write(f"{level} {name}: {finding.text}")
        if finding.advice:
            self.stdout.write(f"{'':<8} → {finding.advice}")
        self.stdout.flush()  # the next one may take its time


def as_json(found: list[tuple[str, Finding]]) -> str:
    """Return `{"status": …, "findings": […]}`; the status is that of the worst finding."""
    levels = {finding.level for _, finding in found}
    worst = next(level for level in reversed(Level) if level in levels)
    rows = [
        {"check": name, "level": one.level, "text": one.text, "advice": one.advice}
        for name, one in found
    ]
    return json.dumps({"status": worst, "findings": rows}, indent=2)
