"""A service for the benchmarks alone, with an empty database and storage of its own."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def prepared_service(shelves: int = 0) -> Iterator[None]:
    """Set Django up with state in a new folder, in the temporary folder of the machine.

    `shelves` is a number of slow storage hosts, on top of the usual ones.
    """
    home = tempfile.mkdtemp(prefix="cloudjobs-bench-")
    (Path(home) / "static").mkdir()  # nothing is collected, but whitenoise looks there
    os.environ |= {
        "CLOUDJOBS_HOME": home,
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        "LOG_LEVEL": "WARNING",
        "SHELVES": str(shelves),
    }
    try:
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        yield
    finally:
        shutil.rmtree(home)


def home() -> Path:
    return Path(os.environ["CLOUDJOBS_HOME"])
