from typing import Any

from django.db import migrations
from django.db.models.fields.json import KeyTextTransform


def put_on_lanes(apps: Any, schema_editor: Any) -> None:
    """Put jobs that may write on the lane of their host, where the bytes that they need count."""
    jobs = apps.get_model("jobs", "Job").objects.filter(lane="", weight__gt=0)
    unfinished = jobs.exclude(state="success").filter(params__has_key="storage_host")
    unfinished.update(lane=KeyTextTransform("storage_host", "params"))


class Migration(migrations.Migration):
    dependencies = [
        ("drives", "0005_bandwidth"),
        ("jobs", "0011_waiting_index"),
    ]

    operations = [migrations.RunPython(put_on_lanes, migrations.RunPython.noop)]
