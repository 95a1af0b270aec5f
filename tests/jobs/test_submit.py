import os
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django_q.models import OrmQ

from accounts.models import User
from jobs.actions import JobSpec, Resource, submit
from jobs.models import Job, JobLink
from tests.trees import inner, jobs_of, leaf


def test_tree_has_the_places_that_the_tree_library_gives(owner: User) -> None:
    root = submit(inner(inner(leaf(), leaf()), leaf()), owner)
    before = [(job.lft, job.rght, job.level, job.parent_id) for job in jobs_of(root)]
    assert before == [
        (1, 10, 0, None),
        (2, 7, 1, root.pk),
        (3, 4, 2, jobs_of(root)[1].pk),
        (5, 6, 2, jobs_of(root)[1].pk),
        (8, 9, 1, root.pk),
    ]
    Job.objects.rebuild()
    root.refresh_from_db()  # the library numbers the trees anew
    assert [(job.lft, job.rght, job.level, job.parent_id) for job in jobs_of(root)] == before


def test_every_tree_has_its_own_number(owner: User, stranger: User) -> None:
    roots = [submit(inner(leaf()), user) for user in (owner, stranger, owner)]
    assert len({root.tree_id for root in roots}) == 3


def test_two_roots_with_one_number_are_refused(owner: User) -> None:
    root = submit(leaf(), owner)
    second = submit(leaf(), owner)
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.filter(pk=second.pk).update(tree_id=root.tree_id)


def test_whole_tree_belongs_to_its_owner(owner: User) -> None:
    root = submit(inner(inner(leaf())), owner)
    assert {job.owner for job in jobs_of(root)} == {owner}
    assert {job.state for job in jobs_of(root)} == {"started"}


def test_job_keeps_what_it_was_given(owner: User) -> None:
    source, copy = Resource("drives", uuid4(), "a"), Resource("drives", uuid4(), "b")
    spec = JobSpec("test_noted", {"key": [1, "x"]}, weight=7, resources=(source, copy))
    job = Job.objects.get(pk=submit(spec, owner).pk)
    assert (job.params, job.weight, job.is_internal) == ({"key": [1, "x"]}, 7, False)
    assert [one["name"] for one in job.resources] == ["a", "b"]
    assert Job.objects.linked_to("drives", [copy.uuid]).get() == job
    assert not Job.objects.linked_to("servers", [copy.uuid]).exists()


def test_operation_decides_whether_a_job_is_internal(owner: User) -> None:
    assert submit(leaf(operation="test_internal"), owner).is_internal


@pytest.mark.parametrize(
    "spec", [leaf(operation="nothing"), inner(leaf(), leaf(operation="nothing"))]
)
def test_unregistered_operation_leaves_nothing(owner: User, spec: JobSpec) -> None:
    with pytest.raises(LookupError, match="'nothing'"), transaction.atomic():
        submit(spec, owner)
    assert not Job.objects.exists()
    assert not JobLink.objects.exists()


@pytest.mark.skipif("REDIS_URL" in os.environ, reason="the queue is in Redis")
def test_only_leaves_are_queued(owner: User) -> None:
    root = submit(inner(leaf(), inner(leaf())), owner)
    leaves = {str(job.pk) for job in jobs_of(root) if job.is_leaf}
    assert {message.name() for message in OrmQ.objects.all()} == leaves


@pytest.mark.skipif("REDIS_URL" in os.environ, reason="the queue is in Redis")
def test_what_is_rolled_back_leaves_no_message(owner: User) -> None:
    with transaction.atomic():
        submit(leaf(), owner)
        transaction.set_rollback(True)
    assert not OrmQ.objects.exists()
