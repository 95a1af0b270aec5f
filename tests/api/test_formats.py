import gzip
import json
import re

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from jobs.actions import JobSpec, submit
from jobs.models import Job
from tests.factories import DriveFactory
from tests.wire import API

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")
PAGES = [
    "",
    "drives/",
    "drives/detail/",
    "drives/schema/",
    "jobs/",
    "jobs/schema/",
    "profile/",
    "snapshots/",
]


def test_times_have_microseconds_and_an_offset(api: APIClient, owner: User) -> None:
    job = submit(JobSpec("test_noted"), owner)
    Job.objects.update(created=job.created.replace(microsecond=0))
    body = api.get(f"{API}/jobs/{job.pk}/").json()
    assert TIME.fullmatch(body["created"])
    assert TIME.fullmatch(body["last_modified"])
    assert body["created"].endswith(".000000+00:00")


def test_signup_time_is_written_like_every_time(api: APIClient) -> None:
    assert TIME.fullmatch(api.get(f"{API}/profile/").json()["signup_time"])


@pytest.mark.parametrize("query", ["", "?limit=0"])
def test_answer_is_zipped_when_asked(api: APIClient, owner: User, query: str) -> None:
    DriveFactory.create_batch(2, owner=owner)
    path = f"{API}/drives/detail/{query}"
    zipped = api.get(path, headers={"accept-encoding": "gzip"})
    assert zipped["Content-Encoding"] == "gzip"
    plain = json.loads(api.get(path).getvalue())
    assert json.loads(gzip.decompress(zipped.getvalue())) == plain


@pytest.mark.parametrize("path", PAGES)
def test_browser_gets_a_page(api: APIClient, owner: User, path: str) -> None:
    DriveFactory(owner=owner)
    submit(JobSpec("test_noted"), owner)
    response = api.get(f"{API}/{path}", headers={"accept": "text/html"})
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/html")


def test_browser_gets_pages_of_single_objects(api: APIClient, owner: User) -> None:
    drive, job = DriveFactory(owner=owner), submit(JobSpec("test_noted"), owner)
    for path in (f"drives/{drive.pk}/", f"jobs/{job.pk}/", f"drives/{job.pk}/"):
        response = api.get(f"{API}/{path}", headers={"accept": "text/html"})
        assert response["Content-Type"].startswith("text/html")
        assert response.status_code in {200, 404}


def test_browser_gets_all_of_a_list(api: APIClient, owner: User) -> None:
    drives = DriveFactory.create_batch(21, owner=owner)
    page = api.get(f"{API}/drives/?limit=0", headers={"accept": "text/html"}).content.decode()
    assert all(str(drive.pk) in page for drive in drives)


def test_format_parameter_asks_for_json(api: APIClient) -> None:
    browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    response = api.get(f"{API}/drives/?format=json", headers=browser)
    assert response.json()["objects"] == []


@pytest.mark.parametrize("path", PAGES)
def test_options_tell_what_is_allowed(api: APIClient, path: str) -> None:
    response = api.options(f"{API}/{path}")
    assert response.status_code == 200
    assert "GET" in response["Allow"]


@pytest.mark.parametrize("path", ["drives/", "jobs/", "profile/"])
def test_head_is_a_get_without_body(api: APIClient, path: str) -> None:
    response = api.head(f"{API}/{path}")
    assert response.status_code == 200
    assert response.content == b""
