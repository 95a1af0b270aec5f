"""Statements that are compiled once and run with other values each time."""

from typing import Any
from uuid import uuid4

import pytest
from django.db.models import F, JSONField, QuerySet
from django.db.models.functions import Greatest

from accounts.models import User
from cloudjobs.prepared import (
    Hole,
    Updated,
    insert_rows,
    prepared_get,
    prepared_rows,
    prepared_update,
    with_constants,
)
from jobs.actions import submit
from jobs.models import Job
from tests.trees import leaf, row_of

descriptions: list[str] = []


@prepared_update
def rename(jobs: Any) -> Updated:
    descriptions.append("rename")
    return jobs.filter(pk=Hole("pk")), {
        "worker": Hole("worker"),
        "events": Hole("events", JSONField()),
        "bytes_done": Greatest(F("bytes_done"), Hole("bytes_done")),
        "lease_token": Hole("token"),
        "rate": None,
    }


@prepared_get
def oldest(jobs: Any) -> QuerySet:
    return jobs.unfinished().order_by("created", "pk")[:1]


@prepared_get
def of_owner(jobs: Any) -> QuerySet:
    return jobs.without_log().filter(pk=Hole("pk"), owner_id=Hole("owner"))


@prepared_rows
def weights(jobs: Any) -> QuerySet:
    mine = jobs.filter(owner_id=Hole("owner")).order_by("weight")
    return mine.values_list("pk", "created", "resources", "weight")


def renamed(job: Job, **values: Any) -> dict[str, Any]:
    usual = {"worker": "w", "events": [], "bytes_done": 0, "token": None}
    assert rename(Job, pk=job.pk, **usual | values) == 1
    return row_of(job)


@pytest.fixture
def job(owner: User) -> Job:
    return submit(leaf(), owner)


@pytest.mark.parametrize("worker", ["", "a:1", "100 %s", "it's; --", "\N{SNOWMAN}"])
def test_text_arrives_as_it_is(job: Job, worker: str) -> None:
    assert renamed(job, worker=worker)["worker"] == worker


@pytest.mark.parametrize(
    "events", [[], [{"kind": "a", "text": '100 % of "it" isn\'t'}], [None, 1.5]]
)
def test_json_arrives_as_it_is(job: Job, events: list[Any]) -> None:
    assert renamed(job, events=events)["events"] == events


def test_uuid_and_nothing_arrive_as_they_are(job: Job) -> None:
    token = uuid4()
    assert renamed(job, token=token)["lease_token"] == token
    assert renamed(job, token=None)["lease_token"] is None


def test_hole_may_be_part_of_an_expression(job: Job) -> None:
    assert [renamed(job, bytes_done=number)["bytes_done"] for number in (5, 3, 8)] == [5, 5, 8]


def test_update_leaves_other_rows_alone(owner: User, job: Job) -> None:
    other = submit(leaf(), owner)
    renamed(job, worker="mine")
    assert row_of(other)["worker"] == ""


def test_update_of_no_row_changes_none(job: Job) -> None:
    values = {"worker": "w", "events": [], "bytes_done": 0, "token": None}
    assert rename(Job, pk=uuid4(), **values) == 0


def test_statement_is_described_once(job: Job) -> None:
    renamed(job)
    before = len(descriptions)
    renamed(job, worker="again")
    assert len(descriptions) == before <= 1


def test_missing_value_is_told(job: Job) -> None:
    with pytest.raises(KeyError, match="worker"):
        rename(Job, pk=job.pk, events=[], bytes_done=0, token=None)


def test_object_is_as_the_ordinary_query_finds_it(job: Job) -> None:
    renamed(job, events=[{"kind": "a"}], token=uuid4())
    found, usual = oldest(Job), Job.objects.get(pk=job.pk)
    values = {field.attname: getattr(found, field.attname) for field in Job._meta.concrete_fields}
    assert values == {name: getattr(usual, name) for name in values}


def test_no_object_is_found_where_there_is_none(db: None) -> None:
    assert oldest(Job) is None


def test_object_is_found_by_other_values_each_time(job: Job, stranger: User) -> None:
    another = submit(leaf(), stranger)
    for one in (job, another, job):
        assert of_owner(Job, pk=one.pk, owner=one.owner_id) == one
    assert of_owner(Job, pk=job.pk, owner=stranger.pk) is None


def test_what_the_query_defers_is_fetched_when_it_is_asked_for(job: Job) -> None:
    found = of_owner(Job, pk=job.pk, owner=job.owner_id)
    assert found.get_deferred_fields() == {"events", "samples", "params"}
    assert found.events == Job.objects.get(pk=job.pk).events


def test_rows_are_as_the_ordinary_query_finds_them(owner: User, stranger: User) -> None:
    jobs = [submit(leaf(weight), owner) for weight in (2, 1)]
    submit(leaf(3), stranger)
    usual = [(job.pk, job.created, job.resources, job.weight) for job in reversed(jobs)]
    assert [tuple(row) for row in weights(Job, owner=owner.pk)] == usual
    assert weights(Job, owner=uuid4()) == []


def test_inserted_rows_are_as_the_ordinary_way_makes_them(owner: User) -> None:
    words = {"resources": [{"name": "100 % 'it'"}], "error": "%s", "lease_token": uuid4()}
    rows = [Job(owner=owner, tree_id=place, lft=1, rght=2, level=0, **words) for place in (1, 2)]
    insert_rows(rows)
    for row in rows:
        found = Job.objects.get(pk=row.pk)
        names = [field.attname for field in Job._meta.concrete_fields]
        assert {name: getattr(found, name) for name in names} == {
            name: getattr(row, name) for name in names
        }


def test_no_rows_are_inserted_where_there_are_none(db: None) -> None:
    insert_rows([])
    assert not Job.objects.exists()


def test_words_and_numbers_that_never_differ_are_written_into_the_statement() -> None:
    hole = Hole("pk")
    sql = "state = %s AND fruitless < %s AND uuid = %s AND name = %s AND is_internal = %s"
    assert with_constants(sql, [Job.State.STARTED, 3, hole, "it's 5 %", True]) == (
        "state = 'started' AND fruitless < 3 AND uuid = %s AND name = %s AND is_internal = %s",
        (hole, "it's 5 %", True),
    )
