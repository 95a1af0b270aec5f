"""The id of a request: in its answer, in the log, and in that of the job that it submits."""

import io
import json
import logging
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from jobs.models import Job
from tests.conftest import browser_of
from tests.factories import DriveFactory, UserFactory
from tests.html import body_of, text_of
from tests.wire import API


def test_every_response_has_a_request_id(api: APIClient) -> None:
    first, second = (api.get(f"{API}/drives/")["X-REQUEST-ID"] for _ in range(2))
    assert UUID(first) != UUID(second)


def test_refusals_have_a_request_id_too(anonymous_api: APIClient) -> None:
    assert UUID(anonymous_api.get(f"{API}/drives/")["X-REQUEST-ID"])
    assert UUID(anonymous_api.get(f"{API}/nothing/")["X-REQUEST-ID"])


def test_request_id_of_the_client_is_kept(api: APIClient) -> None:
    given = uuid4().hex
    response = api.get(f"{API}/drives/", headers={"x-request-id": given})
    assert response["X-REQUEST-ID"] == given


def test_request_id_may_be_of_another_form(api: APIClient) -> None:
    response = api.get(
        f"{API}/drives/", headers={"x-request-id": "Root=1.67891233-abc_def".replace("=", "-")}
    )
    assert response["X-REQUEST-ID"] == "Root-1.67891233-abc_def"


@pytest.mark.parametrize(
    "odd", ["not one", "short", "x" * 65, "{12345678}", "ab\ncd-efgh", "é" * 9]
)
def test_request_id_that_is_none_is_replaced(api: APIClient, odd: str) -> None:
    response = api.get(f"{API}/drives/", headers={"x-request-id": odd})
    assert UUID(response["X-REQUEST-ID"])


def test_request_id_of_a_stranger_is_replaced(api: APIClient) -> None:
    given = uuid4().hex
    response = api.get(f"{API}/drives/", headers={"x-request-id": given}, REMOTE_ADDR="203.0.113.7")
    assert response["X-REQUEST-ID"] != given


# --- the job that it submits ----------------------------------------------------------------


@pytest.fixture
def asked(api: APIClient, owner: User, storage: Path) -> str:
    """The id of a request that has submitted the clone of a drive."""
    drive = DriveFactory(owner=owner)
    response = api.post(f"{API}/drives/{drive.pk}/action/?do=clone")
    assert response.status_code == 202
    return response["X-REQUEST-ID"]


def lines_while(do: Callable[[], None]) -> list[dict[str, str]]:
    """Return what is logged meanwhile, in the format of the service."""
    (handler,) = (one for one in logging.getLogger().handlers if one.name == "stderr")
    assert isinstance(handler, logging.StreamHandler)
    before = handler.setStream(io.StringIO())
    try:
        do()
        return [json.loads(line) for line in handler.stream.getvalue().splitlines()]
    finally:
        handler.setStream(before)


def test_lines_of_a_job_tell_its_request_and_worker(
    asked: str, run_jobs: Callable[[], None]
) -> None:
    job = Job.objects.get()
    lines = lines_while(run_jobs)
    assert {"started", "finished"} <= {line["message"] for line in lines}
    for line in lines:
        assert (line["request_id"], line["job"]) == (asked, str(job.pk))
        assert line["worker"] == Job.objects.get().worker


def test_lines_after_a_job_do_not_tell_of_it(asked: str, run_jobs: Callable[[], None]) -> None:
    run_jobs()
    (line,) = lines_while(lambda: logging.getLogger("jobs").info("something else"))
    assert not {"job", "worker"} & line.keys()


def test_retry_counts_as_the_request_of_the_job(asked: str, api: APIClient) -> None:
    address = f"{API}/jobs/{Job.objects.get().pk}/action/"
    assert api.post(f"{address}?do=cancel").status_code == 200
    again = api.post(f"{address}?do=retry")
    assert Job.objects.get().request_id == again["X-REQUEST-ID"] != asked


def test_staff_sees_the_request_of_a_job(asked: str, web: Client, owner: User) -> None:
    job = Job.objects.get()
    page = f"/jobs/{job.pk}/"
    assert asked not in body_of(web.get(page))
    User.objects.filter(pk=owner.pk).update(is_staff=True)
    assert f"Request {asked}" in text_of(body_of(web.get(page)))
    operator = browser_of(UserFactory(is_staff=True, is_superuser=True))
    assert asked in body_of(operator.get(f"/admin/jobs/job/{job.pk}/change/"))
