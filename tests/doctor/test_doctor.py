"""`manage.py doctor`: each fault is found, named, and has an advice; nothing makes it hang."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django_q.models import Schedule
from pytest_django import Settings

from accounts.models import User
from cloudjobs.doctor import Check, Finding, Level, database, examine, web, workers
from cloudjobs.doctor import storage as storage_checks
from drives.models import Drive, Snapshot
from drives.operations import backend_of
from jobs.actions import submit
from jobs.models import Cluster, Job
from jobs.presence import cluster_here
from servers.management.commands.create_demo import EMAIL, PASSWORD
from tests.factories import DriveFactory, SnapshotFactory, UserFactory
from tests.service import ROOT, free_port
from tests.trees import leaf

Look = Callable[[], Iterator[Finding]]


@pytest.fixture
def cluster(db: None) -> Cluster:
    cluster = cluster_here(uuid4(), 2)
    cluster.appear()
    return cluster


def told(look: Look) -> list[tuple[Level, str]]:
    """Return what a check finds; whatever is not all right has an advice."""
    found = list(look())
    assert all(one.advice for one in found if one.level != Level.OK)
    return [(one.level, one.text) for one in found]


def worst(look: Look) -> tuple[Level, str]:
    return max(told(look), key=lambda one: list(Level).index(one[0]))


def doctor(*options: str) -> tuple[list[dict[str, str]], bool]:
    """Return the findings, and whether the command succeeds."""
    out = io.StringIO()
    try:
        call_command("doctor", "--json", *options, stdout=out)
    except CommandError:
        return json.loads(out.getvalue())["findings"], False
    return json.loads(out.getvalue())["findings"], True


# --- the command ----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)  # checks have connections of their own
def test_service_that_is_well_has_no_problem(cluster: Cluster, storage: Path) -> None:
    Schedule.objects.update(next_run=timezone.now())
    found, succeeds = doctor()
    assert [one for one in found if one["level"] == "problem"] == []
    assert succeeds


def test_problem_fails_the_command_and_is_written_with_its_advice(db: None, storage: Path) -> None:
    out = io.StringIO()
    with pytest.raises(CommandError, match="problem"):
        call_command("doctor", stdout=out, no_color=True)
    text = out.getvalue()
    assert "problem  clusters: No cluster of workers runs.\n         → Start" in text


def test_database_that_is_away_is_told_and_the_rest_is_looked_at(tmp_path: Path) -> None:
    said = {
        "CLOUDJOBS_HOME": str(tmp_path),
        "DATABASE_URL": f"postgres://me:hidden@127.0.0.1:{free_port()}/none",
        "DJANGO_SETTINGS_MODULE": "cloudjobs.settings",
        "REDIS_URL": "",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--json"],
        cwd=ROOT,
        env=os.environ | said,
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)
    assert (done.returncode, found["status"]) == (1, "problem")
    levels = {one["check"]: one["level"] for one in found["findings"]}
    assert (levels["database"], levels["storage dssd-1"]) == ("problem", "ok")
    assert found["findings"][-1]["check"] == "not looked at"
    assert "hidden" not in done.stdout + done.stderr


def test_check_that_hangs_or_breaks_is_a_problem_and_ends() -> None:
    released, began = Event(), time.monotonic()

    def hang() -> Iterator[Finding]:
        released.wait(60)
        yield from ()

    def break_down() -> Iterator[Finding]:
        raise ZeroDivisionError("in the middle")

    checks = [Check(name, look) for name, look in (("slow", hang), ("broken", break_down))]
    found = dict(examine(checks, seconds=2))
    again = dict(examine(checks[:1], seconds=30))  # no second one is begun
    released.set()
    assert time.monotonic() - began < 10
    assert "did not answer within 2 s" in found["slow"].text
    assert "has been hanging" in again["slow"].text
    assert found["broken"].text == "ZeroDivisionError: in the middle"


# --- database -------------------------------------------------------------------------------


@pytest.mark.django_db
def test_database_is_as_it_has_to_be(settings: Settings) -> None:
    for look in (database.check_connection, database.check_migrations, database.check_clock):
        assert worst(look)[0] == Level.OK


@pytest.mark.django_db
def test_missing_migration_is_a_problem() -> None:
    newest = MigrationRecorder.Migration.objects.filter(app="jobs").latest("name")
    newest.delete()
    level, text = worst(database.check_migrations)
    assert level == Level.PROBLEM
    assert f"missing: 1, the first of them jobs {newest.name}." in text


# --- queue and workers ----------------------------------------------------------------------


def test_redis_that_is_away_is_a_problem(settings: Settings) -> None:
    settings.REDIS_URL = f"redis://:hidden@127.0.0.1:{free_port()}/0"
    level, text = worst(workers.check_queue)
    assert level == Level.PROBLEM
    assert "hidden" not in text


@pytest.mark.parametrize(
    ("limit", "policy", "level"),
    [(0, "allkeys-lru", "ok"), (10**6, "noeviction", "ok"), (10**6, "allkeys-lru", "problem")],
)
def test_redis_must_not_throw_messages_away(limit: int, policy: str, level: str) -> None:
    class Broker:
        """Answers as a Redis with these settings does."""

        def info(self, section: str) -> dict[str, Any]:
            return {"maxmemory": limit, "maxmemory_policy": policy}

    assert workers.memory_of(Broker()).level == level  # type: ignore[arg-type]


@pytest.mark.django_db
def test_late_and_missing_schedules_are_problems() -> None:
    Schedule.objects.filter(name="sweep").update(next_run=timezone.now() - timedelta(hours=1))
    Schedule.objects.filter(name="purge").delete()
    found = told(workers.check_schedules)
    assert [level for level, _ in found] == [Level.PROBLEM, Level.PROBLEM]
    assert "The sweep has been overdue" in found[0][1]


def test_clusters_that_are_gone_wrong_in_time_or_old_are_told(cluster: Cluster) -> None:
    late, long_ago = timezone.now() + timedelta(minutes=5), timezone.now() - timedelta(hours=1)
    for values in (
        {"heartbeat_at": long_ago, "host": "elsewhere"},
        {"heartbeat_at": long_ago, "clock": long_ago},  # others run in its place
        {"clock": late, "version": "9"},
    ):
        other = cluster_here(uuid4(), 2)
        other.appear()
        Cluster.objects.filter(pk=other.pk).update(**values)
    texts = [text for level, text in told(workers.check_clusters) if level == Level.WARNING]
    assert len(texts) == 3
    assert "fell silent" in texts[0]
    assert "off by 300 s" in texts[1]
    assert "different versions" in texts[2]


def test_job_that_waits_for_idle_workers_is_a_problem(cluster: Cluster, owner: User) -> None:
    assert worst(workers.check_waiting)[0] == Level.OK
    submit(leaf(10), owner)
    Job.objects.update(queued_at=timezone.now() - timedelta(hours=1))
    assert worst(workers.check_waiting)[0] == Level.PROBLEM
    Cluster.objects.update(workers=0)
    assert worst(workers.check_waiting)[0] == Level.WARNING


# --- storage --------------------------------------------------------------------------------


def look_at(host: str) -> list[tuple[Level, str]]:
    """Return what all checks of a storage host find."""
    checks = [one for one in storage_checks.storage_checks() if one.name == f"storage {host}"]
    return [found for check in checks for found in told(check.look)]


def test_folder_is_looked_at_and_left_as_it_was(storage: Path, db: None) -> None:
    found = look_at("dssd-1")
    assert {level for level, _ in found} == {Level.OK}
    assert "Files can be locked." in dict(map(reversed, found))  # type: ignore[arg-type]
    assert list((storage / "dssd-1").iterdir()) == []


def test_drives_whose_host_the_settings_lost_are_a_problem(storage: Path, db: None) -> None:
    assert worst(storage_checks.check_names)[0] == Level.OK
    Drive.objects.filter(pk=DriveFactory().pk).update(storage_host="gone")
    Snapshot.objects.filter(pk=SnapshotFactory().pk).update(storage_host="gone")
    assert worst(storage_checks.check_names) == (
        Level.PROBLEM,
        "Drives and snapshots on gone: 2. The settings have no such host.",
    )


def test_folder_that_cannot_be_made_is_told_once(
    storage: Path, db: None, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    settings.STORAGE_HOSTS["dssd-1"]["options"]["root"] = str(tmp_path / "file" / "images")
    settings.STORAGE_HOSTS = dict(settings.STORAGE_HOSTS)
    texts = [text for level, text in look_at("dssd-1") if level == Level.PROBLEM]
    assert texts == ["The storage folder cannot be made: Not a directory."]
    assert {level for level, _ in look_at("dssd-2")} == {Level.OK}


def test_limit_that_cannot_be_read_is_a_problem(storage: Path, db: None) -> None:
    look_at("dssd-1")
    (storage / "dssd-1" / ".bandwidth").mkdir()
    texts = [text for level, text in look_at("dssd-1") if level == Level.PROBLEM]
    assert texts == ["The bandwidth limit in .bandwidth cannot be used: Is a directory."]


def test_storage_that_lost_an_image_is_a_problem(storage: Path, db: None) -> None:
    kept, lost = (DriveFactory(storage_host="dssd-1") for _ in range(2))
    backend_of(kept).create(kept.pk, kept.size)
    backend_of(lost).delete(lost.pk)
    texts = [text for level, text in look_at("dssd-1") if level == Level.PROBLEM]
    assert texts == [f"Of the newest drives (2) 1 have no image: {lost.pk} …"]


def test_disk_that_is_not_mounted_is_a_problem(storage: Path, db: None) -> None:
    drive = DriveFactory(storage_host="dssd-1")
    backend_of(drive).delete(drive.pk)
    texts = [text for level, text in look_at("dssd-1") if level == Level.PROBLEM]
    assert texts == ["None of the newest drives (1) has its image here."]


def test_another_database_is_a_problem(storage: Path, db: None) -> None:
    drive = DriveFactory(storage_host="dssd-1")
    backend_of(drive).create(drive.pk, drive.size)
    drive.delete()
    texts = [text for level, text in look_at("dssd-1") if level == Level.PROBLEM]
    assert [text.endswith("the database knows none.") for text in texts] == [True]


# --- settings -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hosts", [[], {}, {"one": {"storage_type": "dssd", "backend": "no.where"}}]
)
def test_wrong_setting_is_a_problem(db: None, settings: Settings, hosts: object) -> None:
    assert worst(web.check_settings)[0] == Level.OK
    settings.STORAGE_HOSTS = hosts
    level, text = worst(web.check_settings)
    assert level == Level.PROBLEM
    assert text.startswith("STORAGE_HOSTS")
    assert storage_checks.storage_checks() == []


# --- what protects it, and other processes --------------------------------------------------


def test_open_settings_are_told(settings: Settings) -> None:
    settings.DEBUG, settings.ALLOWED_HOSTS = True, ["*"]
    texts = " ".join(text for _, text in told(web.check_protection))
    assert "security.W018" in texts
    assert "takes any name" in texts
    assert texts.count("TLS") == 1


@pytest.mark.django_db
def test_well_known_password_is_told() -> None:
    assert worst(web.check_demo)[0] == Level.OK
    user = UserFactory(email=EMAIL)
    user.set_password(PASSWORD)
    user.save()
    assert worst(web.check_demo)[0] == Level.WARNING


def test_secret_key_that_others_read_is_a_problem(settings: Settings, tmp_path: Path) -> None:
    settings.CLOUDJOBS_HOME = tmp_path
    (tmp_path / "secret_key").touch(mode=0o644)
    assert worst(web.check_secrets)[0] == Level.PROBLEM


def test_events_that_do_not_answer_are_told(settings: Settings) -> None:
    settings.EVENTS_PORT = free_port()
    assert worst(web.check_events)[0] == Level.WARNING


@pytest.mark.parametrize("url", ["nonsense", "file:///etc", "http://[::1", "http://x:99999"])
def test_address_that_is_none_is_a_problem(url: str) -> None:
    assert worst(lambda: web.check_ready(url))[0] == Level.PROBLEM


def test_web_server_is_asked_whether_it_is_ready() -> None:
    answers = iter([200, 503, 400])

    class Web(BaseHTTPRequestHandler):
        """A web server that is ready once, and then no more."""

        def do_GET(self) -> None:
            status = next(answers) if self.path == "/readyz" else 404
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"reasons")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Web) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        assert told(lambda: web.check_ready(address))[0][0] == Level.OK
        assert told(lambda: web.check_ready(address)) == [
            (Level.PROBLEM, f"{address}readyz says: 503 reasons")
        ]
        assert told(lambda: web.check_ready(address)) == [
            (Level.PROBLEM, f"{address}readyz refuses to be asked by this name (400).")
        ]
        server.shutdown()
    assert worst(lambda: web.check_ready(address))[0] == Level.PROBLEM
