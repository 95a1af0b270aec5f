"""The filters and pages of `/jobs/`: the address says all of it."""

import pytest
from django.test import Client

from accounts.models import User
from jobs import listing
from jobs.models import Job
from tests.html import body_of, text_of
from tests.jobs.pages import clone_job, made_ago, put_into
from tests.jobs.test_list_page import JOBS, listed, uuids


@pytest.fixture
def jobs(owner: User) -> list[Job]:
    """A job that waits, one that failed an hour and a half ago, one that was done yesterday."""
    waits, failed, done = (clone_job(owner, name, f"{name}_1") for name in ("a1", "Äpfel", "c3"))
    made_ago(put_into(failed, "failed"), hours=1.5)
    made_ago(put_into(done, "success"), hours=25)
    return [waits, failed, done]


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("?state=started", [0]),
        ("?state=failed", [1]),
        ("?state=nonsense", [0, 1, 2]),
        ("?since=1h", [0]),
        ("?since=1d", [0, 1]),
        ("?since=1d&state=success", []),
        ("?operation=test_noted", [0, 1, 2]),
        ("?operation=drive_clone", []),
        ("?operation=%00", [0, 1, 2]),
        ("?text=A1", [0]),
        ("?text=c3_1", [2]),
        ("?text=%00", [0, 1, 2]),
        ("?text=uuid", []),
        ("?before=nonsense&after=nonsense", [0, 1, 2]),
        ("?rows=1&open=x", [0, 1, 2]),
    ],
)
def test_filters(web: Client, jobs: list[Job], query: str, places: list[int]) -> None:
    assert listed(web, query) == uuids(*(jobs[place] for place in places))


def test_search_finds_names_with_any_letters(web: Client, jobs: list[Job]) -> None:
    assert listed(web, "?text=Äpfel") == uuids(jobs[1])


def test_search_takes_the_uuid_of_a_job_or_of_an_object(web: Client, jobs: list[Job]) -> None:
    assert listed(web, f"?text={jobs[0].pk}") == uuids(jobs[0])
    assert listed(web, f"?text={jobs[1].resources[0]['uuid']}") == uuids(jobs[1])


def test_form_shows_what_the_address_says(web: Client, jobs: list[Job]) -> None:
    html = body_of(web.get(f"{JOBS}?state=failed&text=pfel&since=1d&operation=test_noted"))
    assert 'value="pfel"' in html
    assert '<input type="hidden" name="state" value="failed">' in html
    assert 'value="1d" selected' in " ".join(html.split())


def test_chip_keeps_the_other_filters(web: Client, jobs: list[Job]) -> None:
    html = body_of(web.get(f"{JOBS}?text=a1&since=1d"))
    assert 'href="/jobs/?state=failed&amp;text=a1&amp;since=1d"' in html


def test_nothing_found_offers_the_way_back(web: Client, jobs: list[Job]) -> None:
    assert "No job passes these filters" in text_of(body_of(web.get(f"{JOBS}?text=zzz")))


def test_pages_go_back_and_forth(web: Client, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    jobs = [made_ago(clone_job(owner), minutes=minutes) for minutes in range(5)]
    first = web.get(JOBS)
    assert listed(web) == uuids(*jobs[:2])
    second = web.get(f"{JOBS}{first.context['older_url']}")
    assert listed(web, first.context["older_url"]) == uuids(*jobs[2:4])
    assert listed(web, second.context["older_url"]) == uuids(jobs[4])
    assert listed(web, second.context["newer_url"]) == uuids(*jobs[:2])


def test_jobs_of_one_moment_are_all_on_some_page(
    web: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    jobs = [clone_job(owner) for _ in range(5)]
    Job.objects.update(created=jobs[0].created)
    found: list[str] = []
    query = ""
    for _ in range(3):
        response = web.get(f"{JOBS}{query}")
        found += listed(web, query)
        query = response.context["older_url"]
    assert sorted(found) == sorted(uuids(*jobs))


def test_count_ends_at_the_cap(owner: User) -> None:
    for _ in range(4):
        clone_job(owner)
    jobs = listing.root_jobs(owner)
    assert [listing.capped_count(jobs, cap) for cap in (3, 4)] == ["3+", "4"]
    assert listing.capped_count(jobs.none()) == ""


@pytest.mark.parametrize("name", ["before", "after", "top"])
@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-01-01", "", "never"]
)
def test_place_that_cannot_be_is_left_out(web: Client, job: Job, name: str, at: str) -> None:
    assert web.get("/jobs/", {name: f"{at}_{job.pk}"}).status_code == 200
