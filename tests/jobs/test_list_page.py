"""`/jobs/` as a page: which rows there are, in which order, and what each tells."""

import re

from django.test import Client

from accounts.models import User
from jobs.actions import submit
from jobs.models import Job
from tests.html import body_of, text_of
from tests.jobs.pages import clone_job, made_ago, put_into, server_job
from tests.trees import jobs_of, leaf
from tests.wire import assert_as_many, queries_of

JOBS = "/jobs/"


def rows_of(html: str) -> list[str]:
    """Return the uuids of the root jobs, in the order of the page."""
    return re.findall(r'<tbody id="job-([0-9a-f-]{36})"', html)


def listed(web: Client, query: str = "") -> list[str]:
    return rows_of(body_of(web.get(f"{JOBS}{query}")))


def uuids(*jobs: Job) -> list[str]:
    return [str(job.pk) for job in jobs]


def test_row_names_its_objects_and_who_started_it(web: Client, owner: User) -> None:
    clone_job(owner, "golden", "golden_1")
    text = text_of(body_of(web.get(JOBS)))
    assert "Noted test golden → golden_1" in text
    assert f"by {owner.email}" in text
    assert "Waiting" in text


def test_newest_job_comes_first_and_stays_there(web: Client, owner: User) -> None:
    old, new = clone_job(owner), clone_job(owner)
    made_ago(old, minutes=5)
    put_into(old, "success")
    assert listed(web) == uuids(new, old)


def test_list_is_empty_for_a_stranger(stranger_web: Client, owner: User) -> None:
    clone_job(owner)
    html = body_of(stranger_web.get(JOBS))
    assert rows_of(html) == []
    assert "No jobs yet" in text_of(html)


def test_internal_jobs_are_not_shown(web: Client, owner: User) -> None:
    submit(leaf(operation="test_internal"), owner)
    assert listed(web) == []


def test_failed_job_shows_its_reason(web: Client, owner: User) -> None:
    put_into(clone_job(owner), "failed", error="The disk is on fire.")
    text = text_of(body_of(web.get(JOBS)))
    assert "Failed" in text
    assert "The disk is on fire." in text


def test_names_are_written_as_text(web: Client, owner: User) -> None:
    clone_job(owner, "<script>alert(1)</script>", "b")
    html = body_of(web.get(JOBS))
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_tree_opens_by_a_link_in_its_place(web: Client, owner: User) -> None:
    root = server_job(owner)
    assert "copy-1" not in body_of(web.get(JOBS))
    html = body_of(web.get(f"{JOBS}?open={root.pk}"))
    assert all(f"figures-{job.pk}-state" in html for job in jobs_of(root))
    assert 'href="/jobs/?"' in html  # the link closes it again


def test_buttons_are_those_that_are_allowed(web: Client, owner: User) -> None:
    waiting, done, failed = (clone_job(owner) for _ in range(3))
    put_into(done, "success")
    put_into(failed, "failed")
    html = body_of(web.get(JOBS))
    links = re.findall(r'href="/jobs/([0-9a-f-]{36})/(cancel|retry)/"', html)
    assert set(links) == {(str(waiting.pk), "cancel"), (str(failed.pk), "retry")}
    picks = re.findall(r'name="uuid"\s+value="([^"]+)"', html)
    assert set(picks) == {str(waiting.pk), str(failed.pk)}


def test_chips_count_the_states(web: Client, owner: User, stranger: User) -> None:
    for state in ("success", "success", "failed"):
        put_into(clone_job(owner), state)
    clone_job(owner)
    clone_job(stranger)
    text = text_of(body_of(web.get(JOBS)))
    assert "In progress 1 Failed 1 Cancelled Succeeded 2" in text


def test_list_costs_as_many_queries_for_two_as_for_twenty(web: Client, owner: User) -> None:
    for _ in range(2):
        server_job(owner)
    few = queries_of(lambda: web.get(JOBS))
    for _ in range(18):
        server_job(owner)
    assert_as_many(few, queries_of(lambda: web.get(JOBS)))
    assert len(few) <= 9, "\n".join(few)
