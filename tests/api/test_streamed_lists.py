"""Long lists: made of rows, written by another encoder, but byte for byte like a short page."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection
from rest_framework.test import APIClient

from accounts.models import User
from cloudjobs.api.pagination import chunks
from drives.models import Drive
from jobs.actions import Resource, submit
from jobs.models import Job
from tests.factories import DriveFactory
from tests.trees import inner, leaf
from tests.wire import API, faults_of

ODD = 'a "b" \\ \N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}\t\x7f é \N{SNOWMAN} \N{PILE OF POO}'


def listed(api: APIClient, path: str, limit: int) -> bytes:
    """Return a list without its limit, the only thing that tells the two apart."""
    response = api.get(f"{API}/{path}?limit={limit}")
    assert response.status_code == 200
    assert response.streaming == (limit == 0)
    content: bytes = response.getvalue()
    return content.replace(b'"limit":%d' % limit, b"", 1)


@pytest.fixture
def jobs(owner: User) -> None:
    """Trees of several depths, a job that failed with odd words, and one with objects."""
    drive = DriveFactory(owner=owner)
    submit(inner(inner(leaf(5), leaf()), leaf(10)), owner)
    submit(leaf(resources=(Resource("drives", drive.pk, ODD),)), owner)
    submit(inner(leaf(), inner(leaf())), owner)
    failed = submit(leaf(weight=3), owner)
    Job.objects.filter(pk=failed.pk).update(state=Job.State.FAILED, error=ODD, bytes_done=1)


@pytest.mark.parametrize("query", ["", "&fields=uuid,children,data", "&state=started"])
def test_stream_of_jobs_has_the_bytes_of_a_page(api: APIClient, jobs: None, query: str) -> None:
    whole, page = (api.get(f"{API}/jobs/?limit={limit}{query}") for limit in (0, 200))
    assert (whole.streaming, page.streaming) == (True, False)
    assert whole.getvalue() == page.content.replace(b'"limit":200', b'"limit":0', 1)


@pytest.mark.parametrize("path", ["drives/", "drives/detail/", "servers/detail/", "snapshots/"])
def test_stream_of_anything_has_the_bytes_of_a_page(api: APIClient, owner: User, path: str) -> None:
    for _ in range(3):
        DriveFactory(owner=owner, name=ODD, meta={"words": ODD})
    assert listed(api, path, 0) == listed(api, path, 200)


def test_database_that_is_away_is_told_by_the_status(api: APIClient, owner: User) -> None:
    """The query of the rows fails, when the count was answered already."""
    DriveFactory(owner=owner)

    def fail(execute: Any, sql: str, *rest: Any) -> Any:
        if Drive._meta.db_table in sql and "COUNT(" not in sql:
            raise OperationalError("the database is away")
        return execute(sql, *rest)

    with connection.execute_wrapper(fail):
        response = api.get(f"{API}/drives/?limit=0")
    assert response.status_code == 503
    assert faults_of(response) == [("database", None)]


class BreaksAtItsEnd:
    """Rows whose cursor cannot be closed: of that, Django passes on what the driver says."""

    db = DEFAULT_DB_ALIAS

    def iterator(self, chunk_size: int) -> Iterator[int]:
        yield 1
        raise connection.Database.OperationalError("server closed the connection unexpectedly")


def test_database_that_goes_away_at_the_end_is_told_like_any_other() -> None:
    with pytest.raises(OperationalError):
        list(chunks(BreaksAtItsEnd()))  # type: ignore[arg-type]
