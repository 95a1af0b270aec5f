"""Trees submitted by several processes at the same moment, on each database there is."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from jobs.actions import JobSpec, submit
from jobs.models import Job
from tests.service import ROOT, fresh_database, uses_postgresql

PROCESSES, TREES = 4, 25

# Each process submits trees of three jobs for a user of its own, as fast as it can.
SUBMIT = """
import sys
from accounts.models import User
from jobs.actions import JobSpec, submit
owner = User.objects.create_user(f"user{sys.argv[1]}@example.com")
leaf = JobSpec("test_noted")
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    submit(JobSpec("test_noted", children=(leaf, leaf)), owner)
"""

# A tree whose jobs have different owners, or that has two roots, would be one that two share.
COUNT = """
from django.db.models import Count, Q
from jobs.models import Job
trees = Job.objects.values("tree_id").order_by("tree_id").annotate(
    jobs=Count("pk"), owners=Count("owner", distinct=True), roots=Count("pk", filter=Q(parent=None))
)
print(len(trees), {(t["jobs"], t["owners"], t["roots"]) for t in trees})
"""


def script(code: str, *arguments: str) -> list[str]:
    setup = "import django; django.setup()\n"
    return [sys.executable, "-c", setup + code, *arguments]


@pytest.fixture
def environment(database: str, tmp_path: Path) -> dict[str, str]:
    env = os.environ | {
        "CLOUDJOBS_HOME": str(tmp_path),
        "DATABASE_URL": database,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True)
    return dict(env)


def race(env: dict[str, str]) -> str:
    """Let the processes go at the same moment and return what the trees look like afterwards."""
    racers = [
        subprocess.Popen(
            script(SUBMIT, str(number), str(TREES)),
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    assert [racer.wait(60) for racer in racers] == [0] * PROCESSES
    return subprocess.run(
        script(COUNT), cwd=ROOT, env=env, check=True, capture_output=True, text=True
    ).stdout.strip()


WHOLE = f"{PROCESSES * TREES} {{(3, 1, 1)}}"  # every tree has three jobs, one owner, one root


class TestOnSQLite:
    @pytest.fixture
    def database(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'race.sqlite3'}"

    def test_no_owner_gets_a_foreign_sub_job(self, environment: dict[str, str]) -> None:
        assert race(environment) == WHOLE


@pytest.mark.skipif(not uses_postgresql(), reason="DATABASE_URL names no PostgreSQL")
class TestOnPostgreSQL:
    @pytest.fixture
    def database(self, tmp_path: Path) -> Iterator[str]:
        with fresh_database(tmp_path) as address:
            yield address

    def test_no_owner_gets_a_foreign_sub_job(self, environment: dict[str, str]) -> None:
        assert race(environment) == WHOLE


def test_two_roots_with_one_number_cannot_be_committed(owner: User) -> None:
    first = submit(JobSpec("test_noted"), owner)
    twin = Job(owner=owner, operation="test_noted", tree_id=first.tree_id, lft=1, rght=2, level=0)
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.bulk_create([twin])
