"""`make run` in the foreground: whatever ends it, at whatever moment, leaves no process behind."""

import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.service import (
    ROOT,
    eventually,
    first_of_two_free_ports,
    fresh_database,
    own_redis,
    processes_in,
)

pytestmark = pytest.mark.worker
TIMES = 10
SECONDS_TO_START = 200  # with the migrations of a new database
STARTS = 3
AS_IN_A_TERMINAL = ("env", "--default-signal=INT")  # in the background, shells have it ignored
Run = subprocess.Popen[bytes]
Start = Callable[[], tuple[Run, str]]


@pytest.fixture
def start(tmp_path: Path, worker_id: str) -> Iterator[Start]:
    """Run `make run` as a shell does in a terminal: in a group of its own.

    Each call starts one, and returns it with the address that tells when it is ready.
    """
    if not (ROOT / ".venv" / ".runtime").exists():
        pytest.skip("make has not made .venv: it would install it first")
    runs: list[Run] = []
    with fresh_database(tmp_path) as database:
        variables = {
            "CLOUDJOBS_HOME": str(tmp_path),
            "DATABASE_URL": database,
            "DJANGO_SETTINGS_MODULE": "cloudjobs.settings",
            **own_redis(worker_id),
        }

        def run() -> tuple[Run, str]:
            port = str(first_of_two_free_ports())  # the next one is for events
            runs.append(make_run(os.environ | variables | {"PORT": port}, tmp_path))
            return runs[-1], f"http://127.0.0.1:{port}/readyz"

        yield run
        for process in processes_in(tmp_path):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for each in runs:
            each.wait()


def make_run(env: dict[str, str], home: Path) -> Run:
    with (home / "run.log").open("ab") as log:
        return subprocess.Popen(
            [*AS_IN_A_TERMINAL, "make", "run"],
            cwd=ROOT,
            env=env,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def is_ready(address: str) -> bool:
    return httpx.get(address).status_code == 200


def events_of(home: Path) -> str:
    """Return the address that tells when events are served, by what was printed of them."""
    (port,) = re.findall(r"events +ws://127.0.0.1:(\d+)/websocket", (home / "run.log").read_text())
    return f"http://127.0.0.1:{port}/healthz"


def by_terminal(run: Run) -> None:
    """Send what Ctrl-C sends: SIGINT to everything in the foreground."""
    os.killpg(run.pid, signal.SIGINT)


def by_supervisor(run: Run) -> None:
    """Send SIGTERM to the foreground process alone."""
    run.terminate()


def assert_ends(run: Run, home: Path, stop: Callable[[Run], None]) -> None:
    """Stop it and see that everything that it has started is gone within 10 seconds."""
    began = time.monotonic()
    stop(run)
    run.wait(10)
    eventually(lambda: not processes_in(home), timeout=10 - (time.monotonic() - began))


def test_ctrl_c_ends_everything_ten_times(start: Start, tmp_path: Path) -> None:
    for _ in range(TIMES):
        run, address = start()
        eventually(lambda address=address: is_ready(address), SECONDS_TO_START)
        assert_ends(run, tmp_path, by_terminal)


def test_sigterm_to_the_foreground_process_ends_everything(start: Start, tmp_path: Path) -> None:
    run, address = start()
    eventually(lambda: is_ready(address) and is_ready(events_of(tmp_path)), SECONDS_TO_START)
    assert_ends(run, tmp_path, by_supervisor)


@pytest.mark.parametrize("stop", [by_terminal, by_supervisor])
def test_stopped_while_it_starts(start: Start, tmp_path: Path, stop: Callable[[Run], None]) -> None:
    for _ in range(STARTS):
        run, _ = start()
        eventually(lambda: is_prepared(tmp_path), SECONDS_TO_START, interval=0.01)
        time.sleep(random.uniform(0, 0.5))
        assert_ends(run, tmp_path, stop)
        (tmp_path / "run.log").rename(tmp_path / "run.log.1")


def is_prepared(home: Path) -> bool:
    """Has it told where it is? Then it starts web server, workers and events."""
    return f"data        {home}" in (home / "run.log").read_text()
