"""Clusters of workers: their signs of life, and the page that shows them."""

import os
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from jobs import retention
from jobs.actions import submit
from jobs.cluster_page import CRASH_LOOP, clusters_now
from jobs.models import Cluster, Job
from jobs.presence import FORGOTTEN_AFTER, GONE_AFTER, cluster_here
from jobs.progress import Progress
from jobs.tally import bytes_copied
from tests.conftest import browser_of
from tests.factories import UserFactory
from tests.html import body_of, text_of
from tests.trees import leaf
from tests.wire import assert_as_many, queries_of

PAGE = "/clusters/"


@pytest.fixture
def cluster(db: None) -> Cluster:
    return new_cluster()


@pytest.fixture
def operator(db: None) -> Client:
    return browser_of(UserFactory(is_staff=True, is_superuser=True))


def new_cluster() -> Cluster:
    cluster = cluster_here(uuid4(), 4)
    cluster.appear()
    return Cluster.objects.get(pk=cluster.pk)


def silence(cluster: Cluster, length: timedelta) -> None:
    """Let the last sign of life be so long ago."""
    Cluster.objects.filter(pk=cluster.pk).update(heartbeat_at=Now() - length)


def shown(client: Client) -> str:
    return text_of(body_of(client.get(PAGE)))


def test_two_clusters_of_one_process_have_two_names(db: None) -> None:
    first, second = new_cluster(), new_cluster()
    assert (first.host, first.pid) == (second.host, second.pid) == (first.host, os.getpid())
    assert first.name != second.name


def test_heartbeat_is_one_update(cluster: Cluster) -> None:
    silence(cluster, GONE_AFTER * 2)
    assert not Cluster.objects.running().exists()
    with CaptureQueriesContext(connection) as asked:
        cluster.beat()
    assert [query["sql"].split()[0] for query in asked] == ["UPDATE"]
    assert Cluster.objects.running().get() == cluster


def test_heartbeat_writes_a_row_again_that_was_lost(cluster: Cluster) -> None:
    Cluster.objects.all().delete()
    cluster.beat()
    assert Cluster.objects.get().started_at == cluster.started_at


def test_cluster_that_ended_is_neither_running_nor_gone(cluster: Cluster) -> None:
    cluster.beat(is_last=True)
    silence(cluster, GONE_AFTER * 2)
    assert not Cluster.objects.running().exists()
    assert not Cluster.objects.gone().exists()


def test_purge_forgets_clusters_that_are_long_gone(cluster: Cluster) -> None:
    old = new_cluster()
    silence(old, FORGOTTEN_AFTER * 2)
    retention.purge()
    assert Cluster.objects.get() == cluster


def test_copied_bytes_are_counted_once(owner: User) -> None:
    before = bytes_copied()
    job = submit(leaf(100), owner)
    job.claim("here:1")
    progress = Progress(job)
    for done in (40, 100):
        progress.report(done, 0, "copy_file_range")
    assert bytes_copied() - before == 100
    progress.flush()
    again = Progress(job)
    again.report(30, 0, "read_write")  # it goes on from what is durable
    again.report(100, 0, "read_write")
    assert bytes_copied() - before == 170


def test_shared_blocks_are_not_counted_as_copied(owner: User) -> None:
    before = bytes_copied()
    job = submit(leaf(100), owner)
    job.claim("here:1")
    Progress(job).report(100, 0, "reflink")
    assert bytes_copied() == before


# --- the page -------------------------------------------------------------------------------


def test_page_shows_what_each_cluster_does(operator: Client, owner: User, cluster: Cluster) -> None:
    job = submit(leaf(10), owner)
    job.claim(f"{cluster.name}:4711")
    text = shown(operator)
    assert f"{cluster.name} Running" in text
    assert "1 of 4 busy" in text
    assert "worker 4711" in text
    assert f"for {owner}" in text


def test_page_tells_running_gone_and_stopped_apart(operator: Client, cluster: Cluster) -> None:
    gone, stopped = new_cluster(), new_cluster()
    silence(gone, GONE_AFTER * 2)
    stopped.beat(is_last=True)
    text = shown(operator)
    places = [f"{cluster.name} Running", f"{stopped.name} Stopped", f"{gone.name} Gone"]
    assert sorted(places, key=text.index) == places
    assert "1 running, with 4 workers together." in text


def test_page_tells_of_wrong_clocks_and_versions(operator: Client, cluster: Cluster) -> None:
    old = new_cluster()
    wrong = timezone.now() - timedelta(seconds=90)
    Cluster.objects.filter(pk=old.pk).update(clock=wrong, version="0.0.9", started_at=wrong)
    text = shown(operator)
    assert "The clock of its machine is 1 min 30 s slow" in text
    assert text.count("Its version is another") == 1
    for end in ({"stopped_at": wrong}, {"heartbeat_at": wrong}):
        Cluster.objects.filter(pk=old.pk).update(stopped_at=None)
        Cluster.objects.filter(pk=old.pk).update(**end)
        assert not {"NTP", "Its version"} & set(re.findall("NTP|Its version", shown(operator)))


def test_page_says_of_a_cluster_that_is_gone_that_its_successor_runs(operator: Client) -> None:
    gone = new_cluster()
    silence(gone, GONE_AFTER * 2)
    assert f"{gone.name} Gone It fell silent" in shown(operator)
    successor = new_cluster()
    text = shown(operator)
    assert (
        f"Ended within a day Cluster State Began Last sign of life Copied {gone.name} Gone" in text
    )
    assert f"{successor.name} runs in its place" in text
    assert "It fell silent" not in text


def test_cluster_that_ran_all_the_time_is_no_successor(operator: Client, cluster: Cluster) -> None:
    gone = new_cluster()
    silence(gone, GONE_AFTER * 2)
    text = shown(operator)
    assert f"{gone.name} Gone It fell silent" in text
    assert "in its place" not in text


def test_signs_of_life_of_several_successors_change_no_frame(cluster: Cluster) -> None:
    silence(cluster, GONE_AFTER * 2)
    frames = set()
    for successor in (new_cluster(), new_cluster()) * 2:
        successor.beat()
        frames.add(next(clusters_now().parts()).digest)
    assert len(frames) == 1


def test_job_of_a_cluster_that_is_gone_is_shown_beside_its_successor(
    operator: Client, owner: User, cluster: Cluster
) -> None:
    silence(cluster, GONE_AFTER * 2)
    successor = new_cluster()
    submit(leaf(10), owner).claim(f"{cluster.name}:1")
    text = shown(operator)
    assert f"It fell silent without having been stopped; {successor.name} runs in its place" in text
    assert "1 of 4 busy" in text


def test_host_whose_clusters_crash_again_and_again_is_named(operator: Client) -> None:
    for _ in range(CRASH_LOOP):
        assert "fell silent within a day" not in shown(operator)
        silence(new_cluster(), GONE_AFTER * 2)
    assert f"{CRASH_LOOP} clusters of {new_cluster().host} fell silent" in shown(operator)


def test_crashes_of_another_day_are_no_crash_loop(operator: Client) -> None:
    for _ in range(CRASH_LOOP):
        silence(new_cluster(), FORGOTTEN_AFTER * 2)
    assert "fell silent within a day" not in shown(operator)


def test_page_tells_that_none_runs(operator: Client) -> None:
    assert "None runs, so jobs wait" in shown(operator)


def test_job_of_an_unknown_cluster_is_shown(operator: Client, owner: User) -> None:
    submit(leaf(10), owner).claim("elsewhere:1")
    assert "With workers of no known cluster" in shown(operator)


def test_poll_answers_what_has_changed(operator: Client, cluster: Cluster) -> None:
    token = operator.get(PAGE).context["live_url"]
    asked = {"HTTP_HX_REQUEST": "true"}
    assert operator.get(token, **asked).status_code == 204
    cluster.beat()
    html = body_of(operator.get(token, **asked))
    assert f"life-{cluster.pk}" in html
    assert f'id="cluster-{cluster.pk}"' not in html


def test_page_takes_the_right_to_see_jobs(web: Client, cluster: Cluster) -> None:
    clerk = browser_of(UserFactory(is_staff=True))
    assert [client.get(PAGE).status_code for client in (web, clerk, Client())] == [404, 404, 302]


def test_page_costs_as_many_queries_for_two_clusters_as_for_twenty(operator: Client) -> None:
    def add(count: int) -> None:
        for _ in range(count):
            submit(leaf(10), UserFactory()).claim(f"{new_cluster().name}:1")

    add(2)
    few = queries_of(lambda: operator.get(PAGE))
    add(18)
    assert_as_many(few, queries_of(lambda: operator.get(PAGE)))
    assert Job.objects.running().count() == 20
