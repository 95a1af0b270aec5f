"""Many clones of one source at once, and messages that are delivered more than once."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.service import Service
from tests.worker.drives import clone, content_of, finished, upload

pytestmark = pytest.mark.worker
MIB = 1024**2


@pytest.fixture(scope="module")
def api(service: Service) -> Iterator[httpx.Client]:
    with service.client() as client:
        yield client


def test_fifty_clones_asked_for_at_once_are_all_made(api: httpx.Client, service: Service) -> None:
    data = os.urandom(3 * MIB)
    source = upload(api, data, "dssd")
    with ThreadPoolExecutor(8) as threads:
        clones = list(threads.map(lambda _: clone(api, source), range(50)))
    jobs = {new["jobs"][0]["uuid"] for new in clones}
    assert (len({new["uuid"] for new in clones}), len(jobs)) == (50, 50)
    assert {finished(api, job)["state"] for job in jobs} == {"success"}
    contents = {content_of(service, new["uuid"]) for new in clones}
    assert contents == {content_of(service, source)}
    assert_every_root_has_its_own_tree(service)


def assert_every_root_has_its_own_tree(service: Service) -> None:
    code = (
        "from jobs.models import Job; numbers = Job.objects.filter(parent=None)"
        ".values_list('tree_id', flat=True); print(len(numbers), len(set(numbers)))"
    )
    roots, numbers = service.manage("shell", "--no-imports", "-c", code).split()
    assert roots == numbers
