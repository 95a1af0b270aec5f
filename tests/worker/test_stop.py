"""Stopping in the middle of a clone: all processes end, and the clone goes on at the next start."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from tests.service import ROOT, Service, eventually
from tests.worker.drives import clone, content_of, finished, upload

pytestmark = pytest.mark.worker
MIB = 1024**2


def to_main_process(cluster: subprocess.Popen[bytes], number: signal.Signals) -> None:
    cluster.send_signal(number)


def to_whole_group(cluster: subprocess.Popen[bytes], number: signal.Signals) -> None:
    os.killpg(cluster.pid, number)


@pytest.mark.parametrize("send", [to_main_process, to_whole_group])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_cluster_gives_its_clone_back(
    fresh_service: Service,
    send: Callable[[subprocess.Popen[bytes], signal.Signals], None],
    number: signal.Signals,
) -> None:
    with fresh_service.client() as api:
        source = upload(api, os.urandom(600 * MIB), "dssd")
        new = clone(api, source, storage_type="zadara")
        address = f"/jobs/{new['jobs'][0]['uuid']}/"
        eventually(lambda: api.get(address).json()["data"]["progress"] > 10)
        assert_ends(fresh_service.cluster, lambda cluster: send(cluster, number))
        before = api.get(address).json()
        assert (before["state"], before["data"]["progress"] < 100) == ("started", True)
        fresh_service.start_cluster()
        assert finished(api, new["jobs"][0]["uuid"])["state"] == "success"
        assert content_of(fresh_service, new["uuid"]) == content_of(fresh_service, source)


def test_request_that_waits_is_answered_before_the_web_server_stops(
    fresh_service: Service,
) -> None:
    with fresh_service.client() as api, ThreadPoolExecutor(1) as threads:
        source = upload(api, os.urandom(300 * MIB), "zadara")
        job = clone(api, source)["jobs"][0]["uuid"]
        assert_ends(fresh_service.cluster, lambda cluster: cluster.terminate())
        answer = threads.submit(api.get, f"/jobs/{job}/", params={"wait": 25})
        time.sleep(1)
        to_main_process(fresh_service.web, signal.SIGTERM)
        fresh_service.web.wait(15)
        assert (answer.result().status_code, answer.result().json()["state"]) == (200, "started")


def test_killed_main_process_takes_its_workers_along(fresh_service: Service) -> None:
    assert_ends(fresh_service.cluster, lambda cluster: cluster.kill())


# Is told to stop after it has made its cluster, and before any process of that is there.
STOPPED_EARLY = """
import os, signal
import django; django.setup()
from jobs.shutdown import DrainingCluster, detach_children
detach_children()
cluster = DrainingCluster()
os.kill(os.getpid(), signal.SIGTERM)
cluster.start()
"""


def test_cluster_told_to_stop_before_it_has_started_ends(fresh_service: Service) -> None:
    command = [sys.executable, "-c", STOPPED_EARLY]
    cluster = subprocess.run(command, check=False, cwd=ROOT, env=fresh_service.env, timeout=20)
    assert cluster.returncode == 0


def assert_ends(
    cluster: subprocess.Popen[bytes] | None, stop: Callable[[subprocess.Popen[bytes]], None]
) -> None:
    """Stop a cluster and see that it and all its processes are gone within 10 seconds."""
    assert cluster is not None
    main = psutil.Process(cluster.pid)
    eventually(lambda: len(main.children(recursive=True)) >= 5)  # sentinel, helpers, workers
    family = main.children(recursive=True)
    began = time.monotonic()
    stop(cluster)
    cluster.wait(10)
    _, alive = psutil.wait_procs(family, timeout=10 - (time.monotonic() - began))
    assert alive == []
