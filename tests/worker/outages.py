"""A PostgreSQL and a Redis of their own for tests, to be stopped without disturbing others."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import redis

from tests.service import eventually, free_port


class OwnRedis:
    """A server that keeps nothing on disk: one that comes back is empty."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.address = f"redis://127.0.0.1:{self.port}/0"
        self.sockets = tempfile.TemporaryDirectory()  # pytest's paths are too long for a socket
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        options += ["--unixsocket", self.socket]
        self.process = subprocess.Popen(
            ["redis-server", *options, "--databases", "64", "--dir", self.folder],
            stdout=subprocess.DEVNULL,
        )
        eventually(self.is_there)

    def stop(self) -> None:
        """Kill it; whoever is connected finds the connection broken."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    @property
    def socket(self) -> str:
        return f"{self.sockets.name}/redis.sock"

    def by_socket(self, number: str) -> str:
        """Return the address of a database for those who share no network with the server."""
        return f"unix://{self.socket}?db={number}"

    def is_there(self) -> bool:
        try:
            with redis.from_url(self.address) as connection:
                return bool(connection.ping())
        except redis.ConnectionError:
            return False

    def flush(self, database: str) -> int:
        """Empty it, and return how many messages the database at that address had."""
        with redis.from_url(database) as connection:
            waiting = sum(connection.llen(key) for key in connection.keys("django_q:*:q"))
            connection.flushall()
        return waiting


@contextmanager
def own_redis_server(folder: Path) -> Iterator[OwnRedis]:
    """Start a Redis; skips where there is none."""
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed")
    server = OwnRedis(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server.sockets.cleanup()


class OwnPostgreSQL:
    """A server in a folder, which refuses to run as root."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs, self.folder, self.port = programs, folder, free_port()
        self.address = f"postgres://cloudjobs@127.0.0.1:{self.port}/postgres"

    def by_socket(self, address: str) -> str:
        """Return the address of a database for those who share no network with the server."""
        return f"postgres://cloudjobs@:{self.port}/{self.folder}{httpx.URL(address).path}"

    def run(self, program: str, *options: str) -> None:
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*user, str(self.programs / program), "-D", str(self.folder / "data"), *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder)

    def start(self) -> None:
        settings = f"-p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off"
        sockets = f"-c unix_socket_directories={self.folder}"
        log = str(self.folder / "log")
        self.run("pg_ctl", "-w", "-l", log, "-o", f"{settings} {sockets}", "start")

    def stop(self) -> None:
        """Stop it as a crash would; whoever is connected finds the connection broken."""
        if (self.folder / "data" / "postmaster.pid").exists():
            self.run("pg_ctl", "-w", "-m", "immediate", "stop")


@contextmanager
def own_postgresql_server() -> Iterator[OwnPostgreSQL]:
    """Start an empty PostgreSQL; skips where there is none."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not installed:
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp())  # not below pytest's, where only its user gets in
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    server = OwnPostgreSQL(installed[-1].parent, folder)
    server.run("initdb", "-U", "cloudjobs", "-A", "trust")
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnPostgreSQL]:
    """A PostgreSQL of one test, for the services that it starts."""
    with own_postgresql_server() as server:
        monkeypatch.setenv("DATABASE_URL", server.address)
        yield server


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnRedis]:
    """A Redis of one test, for the services that it starts."""
    with own_redis_server(tmp_path) as server:
        monkeypatch.setenv("REDIS_URL", server.address)
        yield server
