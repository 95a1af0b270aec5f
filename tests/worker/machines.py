"""Clusters on machines of their own, as far as one kernel can play several.

Each has its own host name, processes and network: all of them killed at once, no loopback shared,
the same process numbers on both. What they share is what machines share: a database, a Redis, and
the storage folders. The first two they reach by Unix sockets, having no network at all.
"""

import os
import subprocess
import sys
from dataclasses import replace
from functools import cache

import httpx

from tests.service import Service
from tests.worker.outages import OwnPostgreSQL, OwnRedis

NAMESPACES = ("--net", "--uts", "--pid", "--fork", "--kill-child")


@cache
def unshare() -> list[str]:
    """Return the command that opens a machine of its own; nothing where that is not allowed."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    command = ["unshare", *user, *NAMESPACES]
    try:
        subprocess.run([*command, "hostname", "tried"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return command


def start_machine(
    service: Service, name: str, workers: int, database: OwnPostgreSQL, queue: OwnRedis
) -> Service:
    """Start a cluster of the service on a machine of that name, and return it alone."""
    script = f"exec {sys.executable} manage.py qcluster"
    if unshare():
        script = f"hostname {name} && {script}"
    machine = replace(service, web=None, cluster=None, events=None)
    machine.cluster = machine.spawn(
        [*unshare(), "sh", "-c", script],
        WORKERS=str(workers),
        DATABASE_URL=database.by_socket(service.env["DATABASE_URL"]),
        REDIS_URL=queue.by_socket(httpx.URL(service.env["REDIS_URL"]).path[1:]),
    )
    return machine
