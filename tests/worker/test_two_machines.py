"""Ten users clone five hundred drives on two machines, one of which is lost in the middle."""

import os
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.service import Service, eventually, kill_tree, running_service, stop_tree
from tests.worker import settings
from tests.worker.drives import clone, content_of, partials_of, upload
from tests.worker.insight import clone_jobs, kinds_of
from tests.worker.machines import start_machine, unshare
from tests.worker.outages import OwnPostgreSQL, OwnRedis

pytestmark = pytest.mark.worker
MIB = 1024**2
USERS, CLONES, WORKERS = 10, 50, 4
MACHINES = ("machine-a", "machine-b")
ONCE = ("submitted", "claimed", "success")
AGAIN = ("submitted", "claimed", "lost", "claimed", "success")


@pytest.fixture
def service(
    database: OwnPostgreSQL,
    queue: OwnRedis,
    tmp_path_factory: pytest.TempPathFactory,
    worker_id: str,
) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("machines")
    variables = {"DJANGO_SETTINGS_MODULE": settings.NAME}
    with running_service(home, worker_id, 0, as_deployed=True, **variables) as running:
        yield running


@contextmanager
def two_machines(
    service: Service, database: OwnPostgreSQL, queue: OwnRedis
) -> Iterator[dict[str, Service]]:
    """Start two clusters, and stop what is left of them."""
    with ExitStack() as stack:
        started = {}
        for name in MACHINES:
            started[name] = start_machine(service, name, WORKERS, database, queue)
            stack.callback(stop_tree, started[name].cluster)
        yield started


def clone_many(api: httpx.Client, source: str) -> dict[str, str]:
    """Ask for one clone after the other; return the drive that each job makes."""
    new = [clone(api, source, storage_type="zadara") for _ in range(CLONES)]
    return {one["jobs"][0]["uuid"]: one["uuid"] for one in new}


def number_of(api: httpx.Client, state: str) -> int:
    return api.get("/jobs/", params={"state": state, "limit": 1}).json()["meta"]["total_count"]


@pytest.mark.parametrize("lost", MACHINES)
def test_five_hundred_clones_survive_that_a_machine_is_lost(
    service: Service, database: OwnPostgreSQL, queue: OwnRedis, lost: str
) -> None:
    users = service.add_users(USERS)
    sources = [upload(api, os.urandom(4 * MIB), "dssd") for api in users]
    with ThreadPoolExecutor(USERS) as threads:
        clones = list(threads.map(clone_many, users, sources))
    began = time.time()
    with two_machines(service, database, queue) as machines:
        eventually(lambda: number_of(users[0], "success") >= CLONES // 3, 300)
        kill_tree(machines[lost].cluster)
        eventually(lambda: not any(number_of(api, "started") for api in users), 300, interval=0.5)
    rows = clone_jobs(service)
    assert rows.keys() == {job for made in clones for job in made}
    assert len(rows) == USERS * CLONES
    assert_made_once(rows, lost)
    for source, made in zip(sources, clones, strict=True):
        contents = {content_of(service, uuid) for uuid in made.values()}
        assert contents == {content_of(service, source)}
    assert partials_of(service) == []
    waited = [seconds_until_last([rows[job] for job in made], began) for made in clones]
    assert max(waited) <= 2 * min(waited), waited


def assert_made_once(rows: dict[str, dict[str, Any]], lost: str) -> None:
    """See that each clone succeeded once, and was begun again only if its machine was lost."""
    kinds = Counter(tuple(kinds_of(row)) for row in rows.values())
    assert kinds.keys() == {ONCE, AGAIN}
    assert kinds[AGAIN] <= WORKERS
    if unshare():  # else both have one host name
        begun = [machines_of(row) for row in rows.values()]
        assert {first for first, *_ in begun} == set(MACHINES)
        assert {first for first, *again in begun if again} == {lost}


def machines_of(row: dict[str, Any]) -> list[str]:
    """Return the machine of each worker that had a job, in order; worker names begin with it."""
    claims = [event["worker"] for event in row["events"] if event["kind"] == "claimed"]
    return [name for worker in claims for name in MACHINES if worker.startswith(name)]


def seconds_until_last(rows: list[dict[str, Any]], began: float) -> float:
    return max(datetime.fromisoformat(row["finished_at"]) for row in rows).timestamp() - began
