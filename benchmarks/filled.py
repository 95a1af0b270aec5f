"""Databases beside the benchmarks' own, each with a history of so many jobs.

`python -m benchmarks.filled JOBS OWNERS` fills the database of the environment; its first owner is
`reader@example.com`, and everyone has as many jobs.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

READER, PASSWORD = "reader@example.com", "a right password"
AT_ONCE = 1_000  # jobs that ended in one minute


@contextmanager
def database_with(jobs: int, owners: int) -> Iterator[dict[str, str]]:
    """Make a database with its own `CLOUDJOBS_HOME`, and yield what tells a service of it."""
    from benchmarks.environment import home

    folder = tempfile.mkdtemp(dir=home())
    env = {"CLOUDJOBS_HOME": folder}
    if server := os.environ.get("DATABASE_URL"):
        name = f"of_{jobs}_{owners}"
        run_on_server(f"CREATE DATABASE {name}")
        env["DATABASE_URL"] = server.rpartition("/")[0] + f"/{name}"
    filling = [sys.executable, "-m", "benchmarks.filled", str(jobs), str(owners)]
    subprocess.run(filling, env=os.environ | env, check=True)
    try:
        yield env
    finally:
        if server:
            run_on_server(f"DROP DATABASE {name} WITH (FORCE)")


def run_on_server(sql: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql)


def fill(jobs: int, owners: int) -> None:
    from django.core.management import call_command
    from django.utils import timezone

    from accounts.models import User
    from benchmarks.history import make_history

    call_command("migrate", verbosity=0)
    users = [User.objects.create_user(READER, PASSWORD)]
    for number in range(1, owners):
        user = User(email=f"owner-{number}@example.com")
        user.save()
        users.append(user)
    for number, user in enumerate(users):
        for begin in range(0, jobs // owners, AT_ONCE):
            ended = timezone.now() - timedelta(minutes=number + begin // AT_ONCE)
            count = min(AT_ONCE, jobs // owners - begin)
            make_history(user.pk, count, 0, ended=ended, links=0)
    settle()


def settle() -> None:
    """Let the database know what it holds, as it does by itself within minutes."""
    from django.db import connection

    is_postgresql = connection.vendor == "postgresql"
    run_on_server("VACUUM (ANALYZE) jobs_job, jobs_joblink" if is_postgresql else "ANALYZE")


if __name__ == "__main__":
    import django

    django.setup()
    fill(int(sys.argv[1]), int(sys.argv[2]))
