"""The whole service in processes of its own: web server, worker cluster, database, storage.

`service` gives one to each test process; `fresh_service` makes one for a test that kills things.
On PostgreSQL each has a database of its own, on Redis a database number of its own.
"""

import atexit
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import httpx
import psutil
import psycopg
import pytest
import redis

from tests.certificates import Certificate

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
REDIS_DATABASES = 16  # for each test process, used in turn
redis_numbers = count()
EMAIL, PASSWORD = "owner@example.com", "a right password"
SECRET_KEY = "only for tests"


@dataclass
class Service:
    """A running service: where it is, how it is reached, and its processes."""

    home: Path
    env: dict[str, str]
    url: str
    trust: ssl.SSLContext | bool = True  # whose certificates its clients take
    web: subprocess.Popen[bytes] | None = None
    cluster: subprocess.Popen[bytes] | None = None
    events: subprocess.Popen[bytes] | None = None
    as_deployed: bool = False  # does the Procfile say how the web server is started?

    def manage(self, *command: str, **extra: str) -> str:
        """Run a management command and return what it prints."""
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.env | extra,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def add_user(self, email: str, password: str = PASSWORD) -> None:
        self.manage(
            "createsuperuser",
            "--noinput",
            DJANGO_SUPERUSER_EMAIL=email,
            DJANGO_SUPERUSER_PASSWORD=password,
        )

    def add_users(self, count: int) -> list[httpx.Client]:
        """Add users and return their clients, which use tokens: no password has to be hashed."""
        names = [f"{uuid4().hex}@example.com" for _ in range(count)]
        code = (
            "from accounts.models import User; from accounts.tokens import create_token\n"
            f"for email in {names}: print(create_token(User.objects.create_user(email), 'test')[1])"
        )
        tokens = self.manage("shell", "--no-imports", "-c", code).split()
        clients = [self.client() for _ in tokens]
        for client, token in zip(clients, tokens, strict=True):
            client.auth = httpx.Auth()
            client.headers["Authorization"] = f"Bearer {token}"
        return clients

    def client(self, email: str = EMAIL, password: str = PASSWORD) -> httpx.Client:
        """Return a client of the API that logs in with HTTP Basic."""
        return httpx.Client(
            base_url=f"{self.url}/api/2.0", auth=(email, password), timeout=60, verify=self.trust
        )

    def start_web(self) -> None:
        address = httpx.URL(self.url)
        place = ["--host", address.host, "--port", str(address.port)]
        options = ["--interface", "wsgi", "--http", "1", "--no-ws", *place]
        command = [str(BIN / "granian"), *options, "cloudjobs.wsgi:application"]
        if self.as_deployed:
            command = in_procfile("web")
        self.web = self.spawn(command, HOST=address.host, PORT=str(address.port))
        ready = f"{self.url}/readyz"
        eventually(lambda: httpx.get(ready, verify=self.trust).status_code == 200)

    def start_cluster(self, workers: int = 2) -> None:
        self.cluster = self.spawn([sys.executable, "manage.py", "qcluster"], WORKERS=str(workers))

    @property
    def events_url(self) -> str:
        """The address of the web socket, once `start_events` was called."""
        scheme = "wss" if self.url.startswith("https:") else "ws"
        return f"{scheme}://127.0.0.1:{self.env['EVENTS_PORT']}/websocket"

    def start_events(self) -> None:
        health = self.events_url.replace("ws", "http", 1).replace("/websocket", "/healthz")
        self.events = self.spawn([sys.executable, "manage.py", "events"])
        eventually(lambda: httpx.get(health, verify=self.trust).status_code == 200)

    def kill_cluster(self) -> None:
        """Kill the cluster's main process, as a crash would, and see that all below it go too."""
        assert self.cluster is not None
        family = psutil.Process(self.cluster.pid).children(recursive=True)
        self.cluster.kill()
        self.cluster.wait()
        assert psutil.wait_procs(family, timeout=10)[1] == []

    def spawn(self, command: list[str], **extra: str) -> subprocess.Popen[bytes]:
        with (self.home / f"{command[-1].split()[-1]}.log").open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.env | extra,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self) -> None:
        for process in (self.web, self.cluster, self.events):
            if process is not None:
                stop_tree(process)


def in_procfile(process: str) -> list[str]:
    """Return the command that the Procfile has for a process, with the Python of the tests."""
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    return ["sh", "-c", lines[process].replace(".venv/bin", str(BIN))]


def stop_tree(process: subprocess.Popen[bytes]) -> None:
    """Stop a process and all below it; whatever does not go by itself is killed."""
    try:
        family = [
            psutil.Process(process.pid),
            *psutil.Process(process.pid).children(recursive=True),
        ]
    except psutil.NoSuchProcess:
        family = []
    process.send_signal(signal.SIGTERM)
    _, alive = psutil.wait_procs(family, timeout=10)
    for survivor in alive:
        survivor.kill()
    process.wait()


def eventually(condition: Callable[[], Any], timeout: float = 60, interval: float = 0.05) -> Any:
    """Return the condition's first true value; it may fail to connect until then."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        try:
            value = condition()
        except httpx.TransportError:
            value = None
        if value:
            return value
        time.sleep(interval)
    raise AssertionError(f"not within {timeout} s")


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all below it at once, as when the machine's memory is used up."""
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    for child in family:
        with suppress(psutil.NoSuchProcess):  # it ended with its parent
            child.kill()
    psutil.wait_procs(family, timeout=10)
    process.wait()


def processes_in(home: Path) -> list[psutil.Process]:
    """Return the processes whose state is in this folder, whoever their parents are by now."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("CLOUDJOBS_HOME") == str(home):
                found.append(process)
    return found


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def first_of_two_free_ports() -> int:
    """Return a port that is free, as the next one is."""
    while True:
        port = free_port()
        with socket.socket() as listener, suppress(OSError, OverflowError):
            listener.bind(("127.0.0.1", port + 1))
            return port


def uses_postgresql() -> bool:
    return os.environ.get("DATABASE_URL", "").startswith("postgres")


@contextmanager
def fresh_database(home: Path, template: str | None = None) -> Iterator[str]:
    """Yield the address of a database, of the kind that the tests run on: empty, or a copy."""
    if not uses_postgresql():
        path = home / "db.sqlite3"
        if template:
            copy_sqlite(template.removeprefix("sqlite:///"), path)
        yield f"sqlite:///{path}"
        return
    server = os.environ["DATABASE_URL"]
    name = f"cloudjobs_{uuid4().hex}"
    copied = f' TEMPLATE "{httpx.URL(template).path[1:]}"' if template else ""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"{copied}')
    yield str(httpx.URL(server).copy_with(path=f"/{name}"))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def copy_sqlite(source: str, copy: Path) -> None:
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(copy)) as new:
        old.backup(new)


@cache
def database_with_account(settings: str, server: str) -> str:
    """Return the address of a database with all tables and the account, made once to be copied.

    `server` is the PostgreSQL that has it, if any; some tests start and stop one of their own.
    """
    kept = ExitStack()
    kept.enter_context(suppress(psycopg.OperationalError))  # a server that is gone by the end
    atexit.register(kept.close)
    home = Path(kept.enter_context(TemporaryDirectory(prefix="cloudjobs-tests-")))
    address = kept.enter_context(fresh_database(home))
    said = {"CLOUDJOBS_HOME": str(home), "DATABASE_URL": address, "SECRET_KEY": SECRET_KEY}
    env = os.environ | said | {"DJANGO_SETTINGS_MODULE": settings}
    env.pop("REDIS_URL", None)
    fill(Service(home, dict(env), ""))
    return address


def fill(service: "Service") -> None:
    """Make the tables and the account of a service whose database is empty."""
    service.manage("migrate", "-v0")
    service.add_user(EMAIL)


def own_redis(worker_id: str) -> dict[str, str]:
    """Return the variable for an empty Redis database that no running service uses, if any."""
    server = os.environ.get("REDIS_URL")
    if not server:
        return {}
    process = 0 if worker_id == "master" else int(worker_id.removeprefix("gw"))
    number = 1 + process * REDIS_DATABASES + next(redis_numbers) % REDIS_DATABASES
    address = str(httpx.URL(server).copy_with(path=f"/{number}"))
    redis.from_url(address).flushdb()
    return {"REDIS_URL": address}


@contextmanager
def running_service(
    home: Path,
    worker_id: str,
    workers: int = 2,
    *,
    with_pages: bool = False,
    as_deployed: bool = False,
    certificate: Certificate | None = None,
    **variables: str,
) -> Iterator[Service]:
    """Start a service with one account, and stop it with all its processes.

    Without workers there is no cluster, and messages wait in the queue. Pages need their static
    files collected; `as_deployed` starts the web server as the Procfile does. With a certificate it
    is reached by HTTPS. `variables` are added to the service's environment.
    """
    with ExitStack() as stack:
        settings = variables.get("DJANGO_SETTINGS_MODULE", "cloudjobs.settings")
        brings_its_own = "DATABASE_URL" in variables
        server = os.environ.get("DATABASE_URL", "")
        template = None if brings_its_own else database_with_account(settings, server)
        env = os.environ | {
            "CLOUDJOBS_HOME": str(home),
            "DATABASE_URL": stack.enter_context(fresh_database(home, template)),
            "DJANGO_SETTINGS_MODULE": settings,
            "SECRET_KEY": SECRET_KEY,
            "EVENTS_PORT": str(free_port()),
            **own_redis(worker_id),
            **(certificate.variables if certificate else {}),
            **variables,
        }
        address = f"http://127.0.0.1:{free_port()}"
        service = Service(home, dict(env), address, as_deployed=as_deployed)
        if certificate:
            service.url = service.url.replace("http:", "https:")
            service.trust = ssl.create_default_context(cafile=certificate.authority)
        if brings_its_own:
            fill(service)
        if with_pages:
            service.manage("collectstatic", "--noinput", "-v0")
        stack.callback(service.stop)
        service.start_web()
        if workers:
            service.start_cluster(workers)
        yield service
    assert processes_in(home) == []
    shutil.rmtree(home)  # images are large


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Service]:
    """A service that tests share; each uses its own drives."""
    with running_service(tmp_path_factory.mktemp("service"), worker_id) as running:
        yield running


@pytest.fixture
def fresh_service(tmp_path: Path, worker_id: str) -> Iterator[Service]:
    """A service for one test."""
    with running_service(tmp_path, worker_id) as running:
        yield running
