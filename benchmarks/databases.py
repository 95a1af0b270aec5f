"""The databases that are measured on: SQLite, and a PostgreSQL that is started for it alone; once
more with a Redis, which then is the queue.

PostgreSQL runs with its own defaults, so what it commits is on the disk, as in production.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from benchmarks.measure import Skipped
from benchmarks.processes import free_port, redis_server

INSTALLED = "usr/lib/postgresql/*/bin"  # where Debian has it, outside of PATH
CONNECTIONS = 400  # of two hundred workers, and the web server's
STAND_IN = "postgres"  # PostgreSQL refuses to run as root


@contextmanager
def sqlite() -> Iterator[dict[str, str]]:
    """Yield nothing to set: it is what the service has unless it is told otherwise."""
    yield {}


@contextmanager
def postgresql() -> Iterator[dict[str, str]]:
    """Run a PostgreSQL with an empty database, and yield what tells Django of it.

    Raises:
        Skipped: there is none on this machine.
    """
    programs, port = folder_of_programs(), free_port()
    folder = tempfile.mkdtemp(prefix="cloudjobs-bench-pg-")
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, STAND_IN)
        data = f"{folder}/data"
        as_stand_in(f"{programs}/initdb", "-D", data, "-U", "cloudjobs", "-A", "trust")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        options += f" -c max_connections={CONNECTIONS}"
        control = [f"{programs}/pg_ctl", "-D", data, "-w"]
        as_stand_in(*control, "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield {"DATABASE_URL": f"postgres://cloudjobs@127.0.0.1:{port}/postgres"}
        finally:
            as_stand_in(*control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


@contextmanager
def postgresql_and_redis() -> Iterator[dict[str, str]]:
    """Run both, empty, and yield what tells Django of them.

    Raises:
        Skipped: one of them is not on this machine.
    """
    with redis_server() as queue, postgresql() as database:
        yield {"REDIS_URL": queue, **database}


def folder_of_programs() -> Path:
    """Return the folder of `initdb`: that in PATH, else the newest that Debian has installed."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/").glob(INSTALLED), key=lambda path: int(path.parent.name))[::-1]
    if not folders or (os.geteuid() == 0 and not has_stand_in()):
        raise Skipped("no PostgreSQL here")
    return folders[0]


def has_stand_in() -> bool:
    return STAND_IN in {user.pw_name for user in pwd.getpwall()}


def as_stand_in(*command: str) -> None:
    """Run a command without its output; for root, as the user that PostgreSQL has."""
    lead = ["runuser", "-u", STAND_IN, "--"] if os.geteuid() == 0 else []
    subprocess.run([*lead, *command], check=True, stdout=subprocess.DEVNULL, cwd="/")


DATABASES: dict[str, Callable[[], AbstractContextManager[dict[str, str]]]] = {
    "SQLite": sqlite,
    "PostgreSQL": postgresql,
    "PostgreSQL + Redis": postgresql_and_redis,
}
