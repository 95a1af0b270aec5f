"""What the API does not show: the processes of a service, and what a job has gone through."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.service import Service, eventually


def cluster_processes(service: Service) -> list[psutil.Process]:
    """Return the workers of a cluster and their helpers, oldest first: workers come first."""
    assert service.cluster is not None
    sentinels = psutil.Process(service.cluster.pid).children()
    processes = [process for sentinel in sentinels for process in sentinel.children()]
    return sorted(processes, key=lambda process: (process.create_time(), process.pid))


def worker_of(api: httpx.Client, job: str) -> psutil.Process:
    """Return the process that has a job, once one has it."""
    name = eventually(lambda: api.get(f"/jobs/{job}/runtime/").json()["worker"])
    return psutil.Process(int(name.rpartition(":")[2]))


def clone_jobs(service: Service) -> dict[str, dict[str, Any]]:
    """Return the columns of all jobs that clone drives, by uuid."""
    code = (
        "import json; from jobs.models import Job; "
        "jobs = Job.objects.filter(operation='drive_clone').values(); "
        "print(json.dumps({str(job['uuid']): job for job in jobs}, default=str))"
    )
    return json.loads(service.manage("shell", "--no-imports", "-c", code))


def clusters_running(service: Service) -> int:
    """Return how many clusters gave a sign of life lately."""
    code = "from jobs.models import Cluster; print(Cluster.objects.running().count())"
    return int(service.manage("shell", "--no-imports", "-c", code))


def kinds_of(job: dict[str, Any]) -> list[str]:
    """Return what happened to a job, in order."""
    return [event["kind"] for event in job["events"]]


def images_open_in(process: psutil.Process) -> list[str]:
    """Return the images that a process has open, also those that are deleted."""
    links = []
    for link in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # it was closed meanwhile
            links.append(os.readlink(link))
    return [link for link in links if "/images/" in link]
