"""What happens to a service in a day, and what its operators do, drawn at random."""

import random
import signal
import subprocess
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread

import psutil

from tests.service import Service, kill_tree
from tests.soak import settings
from tests.soak.fleet import WORKERS, Fleet
from tests.soak.ledger import Ledger
from tests.worker.insight import cluster_processes

SECONDS_AWAY = 5
SECONDS_TO_STOP = 10  # as docs/reliability.md promises
QUEUE_AWAY = "The queue does not answer"
UPKEEP = ("purge_jobs", "sweep_jobs", "reconcile_storage --fix")


class Faults(Thread):
    """Breaks something every `pause` seconds or so, until it is over; mends what it broke."""

    def __init__(
        self, fleet: Fleet, seed: int, pause: float, to_stop: float, ledger: Ledger
    ) -> None:
        super().__init__(name="faults")
        self.fleet, self.pause, self.to_stop, self.ledger = fleet, pause, to_stop, ledger
        self.random = random.Random(f"{seed} faults")
        self.over = Event()

    def run(self) -> None:
        kinds: list[Callable[[Faults], None]] = []
        while not self.over.wait(self.random.uniform(0.5, 1.5) * self.pause):
            if not kinds:  # each once, in an order drawn anew
                kinds = [kind for kind in FAULTS if self.can(kind)]
                self.random.shuffle(kinds)
            kind = kinds.pop()
            self.ledger.did(kind.__name__)
            try:
                kind(self)
            except Exception:
                self.ledger.breach(f"{kind.__name__}: {traceback.format_exc(limit=-3)}")

    def can(self, kind: Callable[["Faults"], None]) -> bool:
        if kind is Faults.database_away:
            return self.fleet.database is not None
        return self.fleet.queue is not None or kind not in {Faults.redis_away, Faults.redis_emptied}

    def some_process(self) -> psutil.Process:
        return self.random.choice(cluster_processes(self.random.choice(self.fleet.clusters)))

    # --- faults -------------------------------------------------------------------------------

    def kill_worker(self) -> None:
        """Kill a worker or a helper."""
        with suppress(psutil.NoSuchProcess):
            self.some_process().kill()

    def kill_cluster(self) -> None:
        """Lose a machine, which comes back."""
        cluster = self.random.choice(self.fleet.clusters)
        assert cluster.cluster is not None
        kill_tree(cluster.cluster)
        self.over.wait(2 * settings.JOB_LEASE_SECONDS)
        cluster.start_cluster(WORKERS)

    def restart_cluster(self) -> None:
        cluster = self.random.choice(self.fleet.clusters)
        self.stop_in_time(cluster)
        cluster.start_cluster(WORKERS)

    def stop_in_time(self, cluster: Service) -> None:
        assert cluster.cluster is not None
        cluster.cluster.send_signal(signal.SIGTERM)
        try:
            cluster.cluster.wait(self.to_stop)
        except subprocess.TimeoutExpired:
            self.ledger.breach(f"a cluster did not stop within {self.to_stop:g} s")
            kill_tree(cluster.cluster)

    def put_worker_to_sleep(self) -> None:
        """Let a worker do nothing until others take it for dead."""
        with suppress(psutil.NoSuchProcess):
            sleeper = self.some_process()
            sleeper.suspend()
            self.over.wait(settings.JOB_LEASE_SECONDS + 2)
            sleeper.resume()

    def kill_web_worker(self) -> None:
        with self.ledger.outage("web worker"), suppress(psutil.NoSuchProcess):
            self.random.choice(self.fleet.web_workers()).kill()

    def redis_away(self) -> None:
        """Take Redis away; requests are answered all the same."""
        assert self.fleet.queue is not None
        self.fleet.queue.stop()
        self.over.wait(SECONDS_AWAY)
        self.fleet.queue.start()

    def redis_emptied(self) -> None:
        assert self.fleet.queue is not None
        self.fleet.queue.flush(self.fleet.service.env["REDIS_URL"])

    def database_away(self) -> None:
        assert self.fleet.database is not None
        with self.ledger.outage("database"):
            self.fleet.database.stop()
            self.over.wait(SECONDS_AWAY)
            self.fleet.database.start()


FAULTS: list[Callable[[Faults], None]] = [
    Faults.kill_worker,
    Faults.kill_cluster,
    Faults.restart_cluster,
    Faults.put_worker_to_sleep,
    Faults.kill_web_worker,
    Faults.redis_away,
    Faults.redis_emptied,
    Faults.database_away,
]


class Upkeep(Thread):
    """What an operator's timers do: purge often, as the history is kept for a minute only."""

    def __init__(self, fleet: Fleet, pause: float, ledger: Ledger) -> None:
        super().__init__(name="upkeep")
        self.fleet, self.pause, self.ledger = fleet, pause, ledger
        self.over = Event()
        self.purged = 0

    def run(self) -> None:
        turn = 0
        while not self.over.wait(self.pause):
            command = UPKEEP[turn % len(UPKEEP)]
            turn += 1
            self.ledger.did(command)
            began = time.monotonic()
            try:
                said = self.fleet.service.manage(*command.split())
            except AssertionError as error:
                self.judge(command, str(error), began)
            else:
                self.purged += int(said.split()[0]) if command == "purge_jobs" else 0

    def judge(self, command: str, error: str, began: float) -> None:
        """Take it that a command fails while the database is away, or says that the queue is."""
        away = [outage for outage in self.ledger.outages if outage.name == "database"]
        now = time.monotonic()
        is_away = any(outage.covers(moment) for outage in away for moment in (began, now))
        if not is_away and QUEUE_AWAY not in error:
            self.ledger.breach(f"{command}: {error[-400:]}")
