"""One soak: everything starts, users act while things break, all comes to rest, and is judged."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.service import ROOT, Service
from tests.soak import logs
from tests.soak.faults import SECONDS_TO_STOP, Faults, Upkeep
from tests.soak.fleet import Fleet, running_fleet
from tests.soak.ledger import Ledger
from tests.soak.users import Contents, User
from tests.soak.watch import Watch
from tests.worker.insight import cluster_processes, images_open_in

WARM_SECONDS = 300  # until each process has done everything once; only then can its memory be flat


@dataclass(frozen=True)
class Plan:
    """How long a soak takes and how hard it is; times are seconds."""

    seconds: float
    seed: int
    users: int = 5
    embedded: bool = False  # SQLite, and the queue in it
    between_faults: float = 12
    between_upkeep: float = 10
    between_samples: float = 10
    kept: int = 60  # of the history
    to_stop: float = SECONDS_TO_STOP  # of a cluster
    hasten: bool = False  # is the queue swept at the end, so that nobody waits for its minute?


@dataclass
class Outcome:
    """What a soak found."""

    ledger: Ledger
    purged: int = 0  # trees
    resting: float = 0  # seconds until no job was left
    logged: Counter[str] = field(default_factory=Counter)
    memory: list[str] = field(default_factory=list)

    @property
    def breaches(self) -> list[str]:
        return self.ledger.breaches


def soak(plan: Plan) -> Outcome:
    """Do all of it, in a folder that goes at the end."""
    home = Path(tempfile.mkdtemp(prefix="cloudjobs-soak-"))
    try:
        with running_fleet(home, embedded=plan.embedded, kept_seconds=plan.kept) as fleet:
            return soaked(plan, fleet)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def soaked(plan: Plan, fleet: Fleet) -> Outcome:
    ledger, contents = Ledger(), Contents(plan.seed)
    users = users_of(plan, fleet.service, contents, ledger)
    faults = Faults(fleet, plan.seed, plan.between_faults, plan.to_stop, ledger)
    upkeep = Upkeep(fleet, plan.between_upkeep, ledger)
    watch = Watch(fleet, plan.between_samples)
    with ExitStack() as ends:
        for thread in (watch, upkeep, faults, *users):
            thread.start()
            ends.callback(thread.join)
            ends.callback(thread.over.set)
        time.sleep(plan.seconds)
        for thread in (faults, upkeep, watch, *users):
            thread.over.set()
    found = judged(plan, fleet.service, contents, ledger)
    outcome = Outcome(ledger, upkeep.purged, found["resting"])
    outcome.logged = logs.counted(fleet.service.home)
    outcome.memory = watch.table()
    ledger.breaches += [
        *(f"unexplained: {each}" for each in ledger.unexplained()),
        *(watch.grown() if plan.seconds >= 2 * WARM_SECONDS else []),
        *images_left_open(fleet),
        *logs.bugs_in(fleet.service.home),
        *found["breaches"],
    ]
    return outcome


def users_of(plan: Plan, service: Service, contents: Contents, ledger: Ledger) -> list[User]:
    clients = service.add_users(plan.users)
    return [
        User(api, f"{plan.seed} user {number}", contents, ledger)
        for number, api in enumerate(clients)
    ]


def images_left_open(fleet: Fleet) -> list[str]:
    """Return the images that processes have open although nothing is done with any."""
    found = []
    for cluster in fleet.clusters:
        for process in cluster_processes(cluster):
            with suppress(OSError):
                found += [f"{process.pid} has {image} open" for image in images_open_in(process)]
    return found


def judged(plan: Plan, service: Service, contents: Contents, ledger: Ledger) -> dict[str, Any]:
    """Let a process with the settings of the service see whether all is as it must be."""
    known = {
        "contents": contents.known(),
        "broken_uploads": ledger.broken("upload"),
        "hasten": plan.hasten,
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak.invariants", json.dumps(known)],
        cwd=ROOT,
        env=service.env,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)
