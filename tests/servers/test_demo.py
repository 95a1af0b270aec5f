"""The demo account of `make run`, whatever storage there is."""

from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from drives.models import Drive
from servers.models import Server


@pytest.mark.django_db
def test_demo_takes_the_storage_that_there_is(settings: Settings, tmp_path: Path) -> None:
    settings.STORAGE_HOSTS = {
        "one": {"storage_type": "of mine", "options": {"root": str(tmp_path / "images")}}
    }
    call_command("create_demo", verbosity=0)
    assert set(Drive.objects.values_list("name", "storage_type")) == {
        ("demo-disk", "of mine"),
        ("demo-data", "of mine"),
        ("demo-cd", "of mine"),
    }
    assert Server.objects.get().mounts.count() == 3
