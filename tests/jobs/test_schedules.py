"""What the cluster does by itself is in its table of schedules, once."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import Schedule

from jobs.schedules import SCHEDULES, create_schedules

pytestmark = pytest.mark.django_db


def table() -> list[tuple[Any, ...]]:
    columns = ("name", "func", "schedule_type", "minutes", "repeats")
    return sorted(Schedule.objects.values_list(*columns))


EXPECTED = [
    ("purge", "jobs.tasks.purge", "H", None, -1),
    ("sweep", "jobs.tasks.sweep", "I", 1, -1),
]


def test_migration_leaves_both_schedules() -> None:
    assert table() == EXPECTED


def test_second_migration_adds_none() -> None:
    call_command("migrate", verbosity=0)
    assert table() == EXPECTED


def test_schedule_that_was_deleted_comes_back() -> None:
    Schedule.objects.all().delete()
    create_schedules()
    assert table() == EXPECTED


def test_schedule_that_was_changed_is_put_right() -> None:
    Schedule.objects.filter(name="sweep").update(minutes=60, func="jobs.tasks.gone")
    create_schedules()
    assert table() == EXPECTED


def test_time_at_which_it_is_next_due_is_kept() -> None:
    due = timezone.now() + timedelta(minutes=7)
    Schedule.objects.update(next_run=due)
    create_schedules()
    assert set(Schedule.objects.values_list("next_run", flat=True)) == {due}


def test_schedules_of_the_operator_are_left_alone() -> None:
    Schedule.objects.create(name="mine", func="print", schedule_type=Schedule.DAILY)
    create_schedules()
    assert Schedule.objects.get(name="mine").func == "print"


@pytest.mark.parametrize("name", SCHEDULES)
def test_scheduled_function_exists_and_runs(name: str) -> None:
    import_string(SCHEDULES[name]["func"])()
