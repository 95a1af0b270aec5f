"""What is soaked: a web server as it is deployed, two clusters, and servers of their own."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest

from tests.service import Service, running_service
from tests.soak import settings
from tests.worker.outages import OwnPostgreSQL, OwnRedis, own_postgresql_server, own_redis_server

WORKERS = 3  # of each cluster


@dataclass
class Fleet:
    """A service with a second cluster; on SQLite there are no servers to take away."""

    service: Service
    other: Service  # the second cluster and nothing else
    database: OwnPostgreSQL | None = None
    queue: OwnRedis | None = None

    @property
    def clusters(self) -> tuple[Service, Service]:
        return self.service, self.other

    def web_workers(self) -> list[psutil.Process]:
        """Return the processes of the web server that answer requests, oldest first."""
        assert self.service.web is not None
        children = psutil.Process(self.service.web.pid).children()
        return sorted(children, key=lambda process: process.create_time())


@contextmanager
def running_fleet(home: Path, *, embedded: bool, kept_seconds: int) -> Iterator[Fleet]:
    """Start everything; `embedded` is SQLite alone. Skips where PostgreSQL or Redis is missing."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as env:
        database = queue = None
        for name in ("DATABASE_URL", "REDIS_URL"):
            env.delenv(name, raising=False)
        if not embedded:
            database = stack.enter_context(own_postgresql_server())
            queue = stack.enter_context(own_redis_server(home))
            env.setenv("DATABASE_URL", database.address)
            env.setenv("REDIS_URL", queue.address)
        variables = {"DJANGO_SETTINGS_MODULE": settings.NAME, "KEPT_SECONDS": str(kept_seconds)}
        state = home / "service"
        state.mkdir()
        service = stack.enter_context(
            running_service(state, "master", WORKERS, as_deployed=True, **variables)
        )
        other = replace(service, web=None, cluster=None)
        stack.callback(other.stop)
        other.start_cluster(WORKERS)
        yield Fleet(service, other, database, queue)
