"""`/metrics`: who may read it, and whether its figures are right."""

import os
import re
import subprocess
import sys
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connection
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from accounts.models import User
from cloudjobs.metrics import collector, folder
from cloudjobs.metrics.collector import MOST_CLUSTERS
from jobs.actions import submit
from jobs.models import Cluster, Job
from jobs.presence import cluster_here
from tests.conftest import browser_of
from tests.factories import UserFactory
from tests.service import ROOT
from tests.trees import inner, leaf, make_stale
from tests.wire import assert_as_many, queries_of

PAGE = "/metrics"
TOKEN = "a long token of the tests"
Labels = frozenset[tuple[str, str]]


@pytest.fixture
def scraper(db: None, storage: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Prometheus, which has the token, and time for storage to answer."""
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr(collector, "STORAGE_SECONDS", 30)
    return Client(headers={"authorization": f"Bearer {TOKEN}"})


def figures(client: Client) -> dict[tuple[str, Labels], float]:
    response = client.get(PAGE)
    assert response.status_code == 200
    families = text_string_to_metric_families(response.content.decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def figure(client: Client, name: str, **labels: str) -> float:
    return figures(client)[f"cloudjobs_{name}", frozenset(labels.items())]


# --- who may --------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer é", "Bearer"])
def test_wrong_token_is_refused(scraper: Client, said: str) -> None:
    response = Client(headers={"authorization": said}).get(PAGE)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")


def test_there_is_nothing_without_a_token_in_the_settings(
    scraper: Client, settings: Settings
) -> None:
    settings.METRICS_TOKEN = ""
    assert scraper.get(PAGE).status_code == 404
    assert Client(headers={"authorization": "Bearer "}).get(PAGE).status_code == 404


def test_staff_that_may_see_jobs_reads_it(scraper: Client, web: Client) -> None:
    operator = browser_of(UserFactory(is_staff=True, is_superuser=True))
    clerk = browser_of(UserFactory(is_staff=True))
    assert [one.get(PAGE).status_code for one in (operator, clerk, web)] == [200, 404, 404]


# --- jobs, clusters, storage ----------------------------------------------------------------


def test_jobs_are_counted_by_state_and_operation(scraper: Client, owner: User) -> None:
    running, silent, failed, _ = (submit(inner(leaf(10), leaf(10)), owner) for _ in range(4))
    for job in (running, silent):
        job.children.first().claim("here:1")
    make_stale(silent.children.first())
    Job.objects.filter(tree_id=failed.tree_id).update(state="failed", finished_at=failed.created)
    found = figures(scraper)
    wanted = {("jobs", "running"): 1, ("jobs", "waiting"): 5, ("jobs_ended", "failed"): 1}
    for (name, state), count in wanted.items():
        same = [
            value
            for (sample, labels), value in found.items()
            if sample == f"cloudjobs_{name}" and ("state", state) in labels
        ]
        assert sum(same) == count, (name, state)


def test_ages_of_queue_and_leases_are_those_of_the_oldest(scraper: Client, owner: User) -> None:
    assert figure(scraper, "queue_age_seconds") == figure(scraper, "lease_age_seconds") == 0
    for _ in range(2):
        submit(leaf(10), owner)
    first = Job.objects.order_by("queued_at").first()
    first.queued_at = first.queued_at.replace(year=first.queued_at.year - 1)
    Job.objects.filter(pk=first.pk).update(queued_at=first.queued_at)
    assert figure(scraper, "queue_age_seconds") > 364 * 24 * 3600
    first.claim("here:1")
    assert figure(scraper, "queue_age_seconds") < 60
    make_stale(first)
    assert figure(scraper, "lease_age_seconds") > 30


def test_copied_bytes_are_told_for_each_cluster(scraper: Client) -> None:
    names = []
    for copied in (7, 35):
        cluster = cluster_here(uuid4(), 3)
        cluster.bytes_copied = copied
        cluster.appear()
        names.append(cluster.name)
    told = [figure(scraper, "copied_bytes_total", cluster=name) for name in names]
    assert told == [7, 35]
    assert figure(scraper, "workers") == 6
    Cluster.objects.filter(name=names[0]).update(heartbeat_at="2026-01-01T00:00:00Z")
    assert figure(scraper, "clusters", state="running") == 1
    assert figure(scraper, "clusters", state="gone") == 1


def test_clusters_that_die_as_they_begin_do_not_make_endless_figures(scraper: Client) -> None:
    for number in range(MOST_CLUSTERS + 5):
        cluster_here(UUID(int=number << 96), 1).appear()
    names = [name for name, _ in figures(scraper) if name == "cloudjobs_copied_bytes_total"]
    assert len(names) == MOST_CLUSTERS


def test_storage_tells_its_room(scraper: Client) -> None:
    free = figure(scraper, "storage_free_bytes", host="dssd-1")
    used = figure(scraper, "storage_used_bytes", host="dssd-1")
    assert free > 0
    assert free + used == 16 * 1024**3
    assert figure(scraper, "storage_up", host="dssd-1") == 1


def test_storage_that_is_away_is_down(scraper: Client, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    settings.STORAGE_HOSTS["dssd-1"]["options"]["root"] = str(tmp_path / "file" / "images")
    settings.STORAGE_HOSTS = dict(settings.STORAGE_HOSTS)
    assert figure(scraper, "storage_up", host="dssd-1") == 0
    assert figure(scraper, "storage_up", host="dssd-2") == 1


def test_storage_that_cannot_be_written_to_is_down(
    scraper: Client, storage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert figure(scraper, "storage_up", host="dssd-1") == 1
    full_right, folder_of_root = os.access, str(storage / "dssd-1")
    monkeypatch.setattr(
        os, "access", lambda path, mode: str(path) != folder_of_root and full_right(path, mode)
    )
    assert figure(scraper, "storage_up", host="dssd-1") == 0
    assert figure(scraper, "storage_up", host="dssd-2") == 1


def test_scrape_tells_that_the_database_is_away(scraper: Client) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("the database is away")

    with connection.execute_wrapper(fail):
        assert figure(scraper, "database_up") == 0
    assert figure(scraper, "database_up") == 1


def test_scrape_costs_as_many_queries_for_two_jobs_as_for_twenty(
    scraper: Client, owner: User
) -> None:
    def add(count: int) -> None:
        for _ in range(count):
            submit(leaf(10), owner)

    add(2)
    few = queries_of(lambda: scraper.get(PAGE))
    add(18)
    assert_as_many(few, queries_of(lambda: scraper.get(PAGE)))


def test_figures_that_alerts_need_exist(scraper: Client, web: Client) -> None:
    web.get("/jobs/")
    rules = (ROOT / "deploy/prometheus/cloudjobs.rules.yml").read_text()
    named = set(re.findall(r"cloudjobs_\w+(?=[{)\[ ])", rules))
    assert len(named) > 6
    assert named <= {name for name, _ in figures(scraper)}


# --- requests -------------------------------------------------------------------------------


def test_requests_are_counted_by_route_and_class_of_status(scraper: Client, web: Client) -> None:
    def counted(route: str, status: str) -> float:
        labels = {"route": route, "method": "GET", "status": status}
        name = "cloudjobs_request_seconds_count"
        return figures(scraper).get((name, frozenset(labels.items())), 0)

    before = [counted("jobs:detail", "4xx"), counted("none", "4xx")]
    for _ in range(2):
        assert web.get(f"/jobs/{uuid4()}/").status_code == 404
        assert web.get(f"/nowhere/{uuid4()}/").status_code == 404
    assert [counted("jobs:detail", "4xx"), counted("none", "4xx")] == [one + 2 for one in before]


def test_methods_that_there_are_not_have_one_label(scraper: Client) -> None:
    scraper.generic("BREW", "/healthz")
    labels = [dict(labels) for name, labels in figures(scraper) if name.endswith("seconds_count")]
    methods = {one["method"] for one in labels if "method" in one}
    assert "other" in methods
    assert "BREW" not in methods


def test_wrong_passwords_are_counted(scraper: Client, owner: User, settings: Settings) -> None:
    def counted() -> list[float]:
        names = ("failed_logins_total", "throttled_logins_total")
        return [figure(scraper, name) for name in names]

    settings.FAILED_LOGINS = 2
    before = counted()
    for _ in range(3):
        Client().post("/login/", {"username": owner.email, "password": "wrong"})
    assert counted() == [before[0] + 2, before[1] + 1]


def test_processes_of_a_web_server_count_together(tmp_path: Path) -> None:
    count = (
        "from cloudjobs.metrics.folder import count_together; count_together();"
        "from cloudjobs.metrics import instruments; instruments.failed_logins.inc();"
        "from prometheus_client import generate_latest;"
        "print(generate_latest(instruments.counted()).decode())"
    )
    env = {name: value for name, value in os.environ.items() if name != folder.VARIABLE}
    said = [
        subprocess.run(
            [sys.executable, "-c", count],
            cwd=ROOT,
            env=env,
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for _ in range(3)
    ]
    assert "cloudjobs_failed_logins_total 3.0" in said[2]
    (mine,) = folder.MEMORY.glob(f"cloudjobs-{os.geteuid()}-{os.getpid()}")
    folder.forget_the_dead(f"cloudjobs-{os.geteuid()}-")
    assert mine.exists()
    for file in mine.iterdir():
        file.unlink()
    mine.rmdir()


def test_folder_of_somebody_else_is_not_used(tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    planted.symlink_to(tmp_path)
    with pytest.raises(OSError, match="planted"):
        folder.own_folder(planted)
    wide = tmp_path / "wide"
    wide.mkdir(mode=0o777)
    wide.chmod(0o777)
    with pytest.raises(PermissionError, match="not a folder of our own"):
        folder.own_folder(wide)
