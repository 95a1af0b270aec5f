"""`/jobs/{uuid}/` as a page."""

from uuid import uuid4

import pytest
from django.http import Http404
from django.test import Client

from accounts.models import User
from jobs.actions import cancel_job, submit
from jobs.detail import fetch_tree
from jobs.models import Job
from jobs.reports import Failure
from tests.html import body_of, poll, poll_address, swapped_in, text_of
from tests.jobs.pages import clone_job, server_job
from tests.jobs.test_list_poll import work_on
from tests.trees import jobs_of, leaf, make_stale
from tests.wire import assert_as_many, queries_of


def page(job: Job) -> str:
    return f"/jobs/{job.pk}/"


def shown(web: Client, job: Job) -> str:
    return text_of(body_of(web.get(page(job))))


def end(job: Job, state: str, failure: Failure | None = None) -> None:
    """Let a worker end a leaf."""
    work_on(job, 0)
    job.end(Job.State(state), failure or Failure())


def test_waiting_job_tells_its_place_and_why(web: Client, owner: User) -> None:
    clone_job(owner)
    text = shown(web, clone_job(owner, "golden", "golden_1"))
    assert "Noted test golden → golden_1" in text
    assert "Place 2 in the queue" in text
    assert "All workers are busy" in text


def test_running_job_tells_bytes_and_worker(web: Client, owner: User) -> None:
    job = clone_job(owner)
    work_on(job, 250)
    text = shown(web, job)
    assert "25 %" in text
    assert "250 of 1000 B" in text
    assert "Worker worker:1" in text


def test_failed_job_tells_reason_and_hint(web: Client, owner: User) -> None:
    job = clone_job(owner)
    end(job, "failed", Failure("The disk is full.", "no_space", "Delete a drive."))
    text = shown(web, job)
    assert "The disk is full. Delete a drive." in text
    assert "Retry" in text


def test_failed_tree_leads_to_the_part_that_failed(web: Client, owner: User) -> None:
    root = server_job(owner)
    _, first, second = jobs_of(root)
    end(first, "success")
    end(second, "failed", Failure("The disk is full."))
    root.end_with_children()
    text = shown(web, root)
    assert "The disk is full. It was Noted test disk-1 → copy-1 ." in text
    assert "It was" not in shown(web, second)


def test_tree_has_a_bar_and_a_lane_for_each_part(web: Client, owner: User) -> None:
    root = server_job(owner, disks=3)
    html = body_of(web.get(page(root)))
    _, *parts = jobs_of(root)
    assert all(f'id="figures-{job.pk}-progress"' in html for job in parts)
    assert html.count('<rect class="lane-track"') == 3


def test_timeline_shows_every_attempt(web: Client, owner: User) -> None:
    job = clone_job(owner)
    work_on(job, 10)
    make_stale(job)
    job.refresh_from_db()
    assert job.claim("worker:2")
    html = " ".join(body_of(web.get(page(job))).split())
    assert "Its worker was lost" in html
    assert "lane-lost" in html
    assert "lane-running" in html
    assert "Attempt 2 began. worker:2" in text_of(html)


def test_speed_is_drawn_from_the_samples(web: Client, owner: User) -> None:
    job = clone_job(owner)
    samples = [[1000.0 + second, second * 50 * 1024**2] for second in range(10)]
    Job.objects.filter(pk=job.pk).update(samples=samples)
    html = body_of(web.get(page(job)))
    assert 'aria-label="Speed over 9 s, at most 50 MiB/s"' in html


@pytest.mark.parametrize("samples", [[], [[1000.0, 5]], [[1000.0, 5], [1000.0, 9]]])
def test_too_few_samples_draw_nothing(web: Client, owner: User, samples: list[list[float]]) -> None:
    job = clone_job(owner)
    Job.objects.filter(pk=job.pk).update(samples=samples)
    assert "No speed yet" in body_of(web.get(page(job)))  # its place is kept
    cancel_job(job.pk, owner)
    assert "<polyline" not in body_of(web.get(page(job)))


def test_job_that_is_gone_or_someone_elses_is_not_found(
    web: Client, stranger_web: Client, owner: User
) -> None:
    job = clone_job(owner)
    assert stranger_web.get(page(job)).status_code == 404
    assert web.get(f"/jobs/{uuid4()}/").status_code == 404


def test_internal_job_is_not_found(web: Client, owner: User) -> None:
    assert web.get(page(submit(leaf(operation="test_internal"), owner))).status_code == 404


def test_sub_job_has_a_page_of_its_own(web: Client, owner: User) -> None:
    _, first, _ = jobs_of(server_job(owner))
    text = shown(web, first)
    assert "Noted test disk-0 → copy-0" in text
    assert "copy-1" not in text


def test_finished_job_is_never_polled(web: Client, owner: User) -> None:
    job = clone_job(owner)
    cancel_job(job.pk, owner)
    assert poll_address(body_of(web.get(page(job)))) == ""


def test_last_poll_ends_the_polling(web: Client, owner: User) -> None:
    job = clone_job(owner)
    html = body_of(web.get(page(job)))
    end(job, "success")
    answer = body_of(poll(web, html))
    assert poll_address(answer) == ""
    assert {"job-head", "job-progress", "event-log"} <= swapped_in(answer)
    assert "Succeeded" in text_of(answer)


def test_only_what_moves_is_swapped(web: Client, owner: User) -> None:
    job = clone_job(owner)
    work_on(job, 100)
    html = body_of(web.get(page(job)))
    work_on(job, 900)
    swapped = swapped_in(body_of(poll(web, html)))
    assert "job-progress" in swapped
    assert not swapped & {"job-head", "event-log", "job-facts", "job-failure"}


def test_page_costs_as_many_queries_for_two_parts_as_for_twenty(web: Client, owner: User) -> None:
    few, many = server_job(owner, disks=2), server_job(owner, disks=20)
    costs = [queries_of(lambda root=root: web.get(page(root))) for root in (few, many)]
    assert_as_many(*costs)
    assert len(costs[0]) <= 7, "\n".join(costs[0])


def test_job_that_is_purged_while_its_page_is_made_is_not_found(job: Job) -> None:
    Job.objects.filter(pk=job.pk).delete()
    with pytest.raises(Http404):
        fetch_tree(job)


def test_page_of_a_job_that_runs_leads_to_itself_without_javascript(web: Client, job: Job) -> None:
    assert "Without JavaScript this page stands still" in shown(web, job)
    end(job, "success")
    assert "Without JavaScript" not in shown(web, job)
