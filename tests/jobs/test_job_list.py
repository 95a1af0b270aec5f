import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from jobs.actions import submit
from jobs.listed import columns_of, listed_jobs
from jobs.models import Job
from jobs.querysets import with_trees
from jobs.serializers import JobSerializer
from tests.trees import inner, jobs_of, leaf
from tests.wire import API, assert_as_many, faults_of, job_json, queries_of

JOBS = f"{API}/jobs/"


def listed(api: APIClient, query: str = "") -> list[dict[str, Any]]:
    response = api.get(f"{JOBS}?{query}")
    assert response.status_code == 200
    return response.json()["objects"]


def uuids(api: APIClient, query: str = "") -> list[str]:
    return [job["uuid"] for job in listed(api, query)]


def touch(job: Job, minutes_ago: int) -> None:
    moment = timezone.now() - timedelta(minutes=minutes_ago)
    Job.objects.filter(pk=job.pk).update(last_modified=moment)


def test_list_of_a_job_that_waits(api: APIClient, job: Job) -> None:
    assert api.get(JOBS).json() == {
        "meta": {"limit": 20, "offset": 0, "total_count": 1},
        "objects": [job_json(job)],
    }


def test_list_is_empty_for_a_stranger(stranger_api: APIClient, job: Job) -> None:
    assert listed(stranger_api) == []


def test_list_is_not_for_anonymous(anonymous_api: APIClient, job: Job) -> None:
    assert anonymous_api.get(JOBS).status_code == 401


def test_list_shows_roots_with_all_below_them(api: APIClient, owner: User) -> None:
    root = submit(inner(inner(leaf(), leaf()), leaf()), owner)
    _, branch, first, second, third = jobs_of(root)
    below = [
        job_json(branch, children=[job_json(first), job_json(second)]),
        job_json(third),
    ]
    assert listed(api) == [job_json(root, children=below)]


def test_stream_of_all_shows_trees_too(api: APIClient, owner: User) -> None:
    roots = [submit(inner(leaf(), leaf()), owner) for _ in range(3)]
    for minutes, root in enumerate(roots):
        touch(root, minutes)
    response = api.get(f"{JOBS}?limit=0&fields=uuid,children")
    found = [
        (job["uuid"], len(job["children"])) for job in json.loads(response.getvalue())["objects"]
    ]
    assert found == [(str(root.pk), 2) for root in roots]


def test_internal_jobs_are_not_shown(api: APIClient, owner: User, job: Job) -> None:
    submit(leaf(operation="test_internal"), owner)
    body = api.get(JOBS).json()
    assert body["meta"]["total_count"] == 1
    assert [job["operation"] for job in body["objects"]] == ["test_noted"]


def test_newest_change_comes_first(api: APIClient, owner: User) -> None:
    old, new, middle = (submit(leaf(), owner) for _ in range(3))
    for job, minutes in ((old, 9), (new, 1), (middle, 5)):
        touch(job, minutes)
    newest_first = [str(job.pk) for job in (new, middle, old)]
    assert uuids(api) == newest_first
    assert uuids(api, "order_by=-last_modified") == newest_first
    assert uuids(api, "order_by=last_modified") == newest_first[::-1]


def test_jobs_that_changed_together_are_ordered_by_uuid(api: APIClient, owner: User) -> None:
    jobs = [submit(leaf(), owner) for _ in range(5)]
    Job.objects.update(last_modified=timezone.now())
    pages = [uuids(api, f"limit=2&offset={offset}") for offset in (0, 2, 4)]
    assert [uuid for page in pages for uuid in page] == sorted(str(job.pk) for job in jobs)


@pytest.mark.parametrize("order", ["state", "created", "uuid", "-operation"])
def test_order_by_another_field_is_refused(api: APIClient, order: str) -> None:
    response = api.get(f"{JOBS}?order_by={order}")
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "order_by")]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=started", {"started"}),
        ("state=success", {"success"}),
        ("state=failed,success", {"failed", "success"}),
        ("state=failed&state=success", set()),
        ("state=cancelled", set()),
        ("state=nonsense", set()),
        ("state=", set()),
        ("operation=x", {"started", "failed", "success"}),
    ],
)
def test_state_filters(
    api: APIClient, owner: User, run_jobs: Callable[[], None], query: str, expected: set[str]
) -> None:
    submit(leaf(), owner)
    submit(leaf(operation="test_failing"), owner)
    run_jobs()
    submit(leaf(), owner)
    assert {job["state"] for job in listed(api, query)} == expected


def test_list_costs_as_many_queries_for_two_as_for_twenty(api: APIClient, owner: User) -> None:
    def submit_trees(count: int) -> None:
        for _ in range(count):
            submit(inner(inner(leaf(), leaf()), leaf()), owner)

    submit_trees(2)
    few = queries_of(lambda: api.get(JOBS))
    submit_trees(18)
    assert_as_many(few, queries_of(lambda: api.get(JOBS)))


def test_list_is_told_by_three_queries(api: APIClient, owner: User) -> None:
    for _ in range(2):
        submit(inner(inner(leaf(), leaf()), leaf()), owner)
    queries = queries_of(lambda: api.get(JOBS))
    assert len(queries) == 3, queries  # how many, the roots of the page, and their trees


def test_stream_costs_as_many_queries_for_two_as_for_twenty(api: APIClient, owner: User) -> None:
    def submit_trees(count: int) -> None:
        for _ in range(count):
            submit(inner(leaf(), leaf()), owner)

    submit_trees(2)
    few = queries_of(lambda: api.get(f"{JOBS}?limit=0"))
    submit_trees(18)
    assert_as_many(few, queries_of(lambda: api.get(f"{JOBS}?limit=0")))


def test_tree_that_is_purged_while_a_list_is_read_is_left_out(owner: User) -> None:
    kept, gone = submit(leaf(), owner), submit(inner(leaf()), owner)
    rows = list(columns_of(Job.objects.roots()))
    Job.objects.filter(tree_id=gone.tree_id).delete()
    assert [job.uuid for job in listed_jobs(rows)] == [kept.pk]


@pytest.mark.parametrize("state", Job.State)
def test_tree_that_is_purged_while_its_root_is_read_has_nothing_below(
    owner: User, state: str
) -> None:
    Job.objects.filter(pk=submit(inner(leaf()), owner).pk).update(state=state)
    root = Job.objects.get(parent=None)
    Job.objects.filter(tree_id=root.tree_id).delete()
    data = JobSerializer(with_trees([root])[0]).data
    assert (data["state"], data["children"]) == (state, [])
