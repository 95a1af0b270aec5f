from django.apps import AppConfig
from django.db.models.signals import post_migrate


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        from jobs import checks  # noqa: F401  registers the system check
        from jobs.schedules import create_schedules

        post_migrate.connect(create_schedules, sender=self)
