"""Starting the parts of a service for a benchmark, and stopping them."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import redis

from benchmarks.measure import Skipped

BIN = Path(sys.executable).parent


@contextmanager
def process(command: list[str], **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in the background, without its output, and stop it in the end."""
    started = subprocess.Popen(
        command, env=os.environ | env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield started
    finally:
        started.terminate()
        started.wait()


@contextmanager
def web_server(**env: str) -> Iterator[str]:
    """Run granian as `make run` does, and yield its address."""
    with web_process(**env) as (address, _):
        yield address


@contextmanager
def web_process(**env: str) -> Iterator[tuple[str, int]]:
    """Run granian with one process for requests; yield its address and that process's number.

    What a client asks is counted as ever, but no limit is reached.
    """
    port = free_port()
    options = ["--interface", "wsgi", "--http", "1", "--port", str(port), "--no-ws"]
    env = {"REQUESTS_PER_MINUTE": "100000000", **env}
    with process([str(BIN / "granian"), *options, "cloudjobs.wsgi:application"], **env) as main:
        address = f"http://127.0.0.1:{port}"
        wait_for(lambda: httpx.get(f"{address}/healthz").is_success)
        (worker,) = psutil.Process(main.pid).children()
        yield address, worker.pid


@contextmanager
def deployed_web_server(**env: str) -> Iterator[int]:
    """Run the web server as the Procfile does, with its two processes, and yield its port."""
    port = free_port()
    lines = dict(line.split(": ", 1) for line in Path("Procfile").read_text().splitlines())
    command = lines["web"].replace(".venv/bin", str(BIN))
    with process(["sh", "-c", command], HOST="127.0.0.1", PORT=str(port), **env):
        wait_for(lambda: httpx.get(f"http://127.0.0.1:{port}/healthz").is_success)
        yield port


@contextmanager
def cluster(workers: int = 2, **env: str) -> Iterator[None]:
    """Run a cluster of so many workers."""
    with process([sys.executable, "manage.py", "qcluster"], WORKERS=str(workers), **env):
        yield


@contextmanager
def redis_server() -> Iterator[str]:
    """Run a Redis that keeps nothing, and yield its address."""
    if not shutil.which("redis-server"):
        raise Skipped("redis-server is not installed")
    port = str(free_port())
    with process(["redis-server", "--bind", "127.0.0.1", "--port", port, "--save", ""]):
        address = f"redis://127.0.0.1:{port}/0"
        wait_for(lambda: redis.from_url(address).ping())
        yield address


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait until a condition holds; until then it may fail to connect."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return
        except (httpx.TransportError, redis.ConnectionError):
            pass
        time.sleep(0.02)
    raise RuntimeError("it does not start")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
