from collections.abc import Callable
from uuid import uuid4

from rest_framework.test import APIClient

from accounts.models import User
from jobs.actions import Resource, mark_gone, submit
from jobs.models import Job
from tests.trees import inner, jobs_of, leaf
from tests.wire import API, assert_as_many, faults_of, job_json, queries_of


def path(job: Job) -> str:
    return f"{API}/jobs/{job.pk}/"


def test_job_that_waits(api: APIClient, job: Job) -> None:
    response = api.get(path(job))
    assert response.status_code == 200
    assert response.json() == job_json(job)


def test_job_of_another_is_not_there(stranger_api: APIClient, job: Job) -> None:
    response = stranger_api.get(path(job))
    assert response.status_code == 404
    assert faults_of(response) == [("notexist", None)]


def test_job_is_not_for_anonymous(anonymous_api: APIClient, job: Job) -> None:
    assert anonymous_api.get(path(job)).status_code == 401


def test_job_that_never_was_is_not_there(api: APIClient) -> None:
    response = api.get(f"{API}/jobs/{uuid4()}/")
    assert response.status_code == 404
    assert faults_of(response) == [("notexist", None)]


def test_internal_job_is_not_there(api: APIClient, owner: User) -> None:
    job = submit(leaf(operation="test_internal"), owner)
    assert api.get(path(job)).status_code == 404


def test_tree_of_four_levels_is_shown_whole(api: APIClient, owner: User) -> None:
    root = submit(inner(inner(inner(leaf()), leaf())), owner)
    _, second, third, deepest, side = jobs_of(root)
    branch = job_json(third, children=[job_json(deepest)])
    below = [job_json(second, children=[branch, job_json(side)])]
    assert api.get(path(root)).json() == job_json(root, children=below)


def test_sub_job_has_an_address_of_its_own(api: APIClient, owner: User) -> None:
    root = submit(inner(inner(leaf(), leaf()), leaf()), owner)
    _, branch, first, second, _ = jobs_of(root)
    expected = job_json(branch, children=[job_json(first), job_json(second)])
    assert api.get(path(branch)).json() == expected
    assert api.get(path(first)).json() == job_json(first)


def test_sub_job_of_another_is_not_there(stranger_api: APIClient, owner: User) -> None:
    for job in jobs_of(submit(inner(leaf()), owner)):
        assert stranger_api.get(path(job)).status_code == 404


def test_resources_are_shown_source_first(api: APIClient, owner: User) -> None:
    source, copy = Resource("drives", uuid4(), "a"), Resource("drives", uuid4(), "b")
    job = submit(leaf(resources=(source, copy)), owner)
    shown = [f"/api/2.0/drives/{source.uuid}/", f"/api/2.0/drives/{copy.uuid}/"]
    assert api.get(path(job)).json() == job_json(job, resources=shown)


def test_resources_that_are_gone_are_shown_no_more(api: APIClient, owner: User) -> None:
    source, copy = Resource("drives", uuid4(), "a"), Resource("drives", uuid4(), "b")
    job = submit(leaf(resources=(source, copy)), owner)
    mark_gone("drives", source.uuid)
    assert api.get(path(job)).json()["resources"] == [f"/api/2.0/drives/{copy.uuid}/"]
    mark_gone("servers", copy.uuid)
    assert len(api.get(path(job)).json()["resources"]) == 1
    mark_gone("drives", copy.uuid)
    assert api.get(path(job)).json()["resources"] == []


def test_gone_resource_leaves_the_jobs_of_every_tree(api: APIClient, owner: User) -> None:
    gone = Resource("drives", uuid4(), "a")
    other = submit(leaf(resources=(gone,)), owner)
    root = submit(inner(leaf(resources=(gone,))), owner)
    mark_gone("drives", gone.uuid)
    assert api.get(path(other)).json()["resources"] == []
    assert api.get(path(root)).json()["children"][0]["resources"] == []


def test_job_that_succeeded(api: APIClient, job: Job, run_jobs: Callable[[], None]) -> None:
    run_jobs()
    job.refresh_from_db()
    assert job.state == "success"
    assert api.get(path(job)).json() == job_json(job, data={"progress": 100})


def test_failed_job_says_why(api: APIClient, owner: User, run_jobs: Callable[[], None]) -> None:
    job = submit(leaf(operation="test_failing"), owner)
    run_jobs()
    job.refresh_from_db()
    data = {"progress": 0, "error": "The disk is on fire."}
    assert api.get(path(job)).json() == job_json(job, state="failed", data=data)


def test_broken_job_keeps_its_details_to_itself(
    api: APIClient, owner: User, run_jobs: Callable[[], None]
) -> None:
    job = submit(leaf(operation="test_breaking"), owner)
    run_jobs()
    body = api.get(path(job)).json()
    assert body["state"] == "failed"
    assert body["data"]["error"].startswith("The operation failed unexpectedly")
    assert "secret" not in str(body)


def test_job_is_narrowed_to_the_fields(api: APIClient, job: Job) -> None:
    body = api.get(f"{path(job)}?fields=data,state").json()
    assert body == {"data": {"progress": 0}, "state": "started"}


def test_job_cannot_be_changed(api: APIClient, job: Job) -> None:
    for method in (api.put, api.patch, api.delete, api.post):
        assert method(path(job)).status_code == 405
    assert Job.objects.get().state == "started"


def test_job_costs_as_many_queries_with_two_children_as_with_twenty(
    api: APIClient, owner: User
) -> None:
    small = submit(inner(*[leaf()] * 2), owner)
    large = submit(inner(*[inner(leaf(), leaf())] * 10), owner)
    few = queries_of(lambda: api.get(path(small)))
    assert_as_many(few, queries_of(lambda: api.get(path(large))))


def test_job_is_told_by_one_query_and_a_tree_by_two(api: APIClient, job: Job, owner: User) -> None:
    def queries(job: Job) -> int:
        return len(queries_of(lambda: api.get(path(job))))

    root = submit(inner(leaf(), inner(leaf())), owner)
    assert queries(job) == 1
    assert [queries(one) for one in jobs_of(root)] == [2, 1, 2, 1]
