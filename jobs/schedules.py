"""What the cluster does by itself: the sweep every minute, the purge every hour."""

from typing import Any

from django_q.models import Schedule

SCHEDULES = {
    "sweep": {"func": "jobs.tasks.sweep", "schedule_type": Schedule.MINUTES, "minutes": 1},
    "purge": {"func": "jobs.tasks.purge", "schedule_type": Schedule.HOURLY},
}


def create_schedules(**kwargs: Any) -> None:
    """Have each schedule once; called after every migration, keeps when it is next due."""
    for name, schedule in SCHEDULES.items():
        Schedule.objects.update_or_create(name=name, defaults=schedule)
