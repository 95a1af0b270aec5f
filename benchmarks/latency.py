"""`latency`: from the answer of a clone request to the job's success, for 1 MiB of data.

Once with the embedded default, once with PostgreSQL and Redis.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import httpx

from accounts.models import User
from benchmarks.measure import Result
from benchmarks.processes import cluster, web_server
from benchmarks.sources import make_source

CLONES = 15
EMAIL, PASSWORD = "hurry@example.com", "a right password"


def run_embedded() -> Result:
    return latency("latency", "< 0.7 s with the embedded queue", 0.7)


def run_redis() -> Result:
    return latency("latency-redis", "< 0.3 s with Redis", 0.3)


def latency(name: str, target: str, bound: float) -> Result:
    owner = User.objects.create_user(f"{name}-{EMAIL}", PASSWORD)
    source = make_source(owner)
    with service(owner.email) as client:
        times = [seconds_of_clone(client, str(source.pk)) for _ in range(CLONES)]
    return Result(
        name=name,
        ours=f"{median(times):.2f} s",
        floor="",
        ratio=None,
        target=target,
        holds=median(times) < bound,
        raw={"seconds": times},
    )


@contextmanager
def service(email: str) -> Iterator[httpx.Client]:
    """Run web server and workers, and yield a client that the cluster has served once."""
    with (
        web_server() as address,
        cluster(),
        httpx.Client(base_url=f"{address}/api/2.0", auth=(email, PASSWORD), timeout=60) as client,
    ):
        (source,) = client.get("/drives/").json()["objects"]
        seconds_of_clone(client, source["uuid"])
        yield client


def seconds_of_clone(client: httpx.Client, source: str) -> float:
    answer = client.post(f"/drives/{source}/action/?do=clone")
    began = time.perf_counter()
    (job,) = answer.json()["objects"][0]["jobs"]
    while (state := client.get(f"/jobs/{job['uuid']}/").json()["state"]) == "started":
        time.sleep(0.005)
    assert state == "success"
    return time.perf_counter() - began
