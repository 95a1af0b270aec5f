"""What the page of jobs is answered when it polls."""

import pytest
from django.test import Client

from accounts.models import User
from jobs.models import Job
from jobs.reports import Reported
from tests.html import body_of, interval_of, poll, poll_address, swapped_in, text_of
from tests.jobs.pages import clone_job, put_into, server_job
from tests.jobs.test_list_page import JOBS, rows_of
from tests.trees import jobs_of
from tests.wire import assert_as_many, queries_of


def work_on(job: Job, bytes_done: int) -> None:
    """Let a worker have the job, that much done."""
    job.refresh_from_db()
    if job.lease_token is None:
        assert job.claim("worker:1")
    job.report(Reported(bytes_done, bytes_done, "read_write"))


def test_nothing_changed_is_204(web: Client, owner: User) -> None:
    clone_job(owner)
    assert poll(web, body_of(web.get(JOBS))).status_code == 204


def test_only_the_figures_of_the_row_that_moves_are_swapped(web: Client, owner: User) -> None:
    moving, still = clone_job(owner), clone_job(owner)
    html = body_of(web.get(JOBS))
    work_on(moving, 420)
    answer = body_of(poll(web, html))
    cells = {f"figures-{moving.pk}-{cell}" for cell in ("state", "progress", "time")}
    assert swapped_in(answer) == cells
    assert "42%" in text_of(answer)
    assert f"figures-{still.pk}" not in answer


def test_row_that_ends_is_swapped_whole_and_stays_where_it_is(web: Client, owner: User) -> None:
    job = clone_job(owner)
    html = body_of(web.get(f"{JOBS}?state=started"))
    put_into(job, "success")
    answer = body_of(poll(web, html))
    assert f"job-{job.pk}" in swapped_in(answer)
    assert "Succeeded" in text_of(answer)


def test_new_job_is_a_line_and_no_row(web: Client, owner: User) -> None:
    clone_job(owner)
    html = body_of(web.get(JOBS))
    fresh = [clone_job(owner) for _ in range(3)]
    answer = body_of(poll(web, html))
    assert "new-jobs" in swapped_in(answer)
    assert "3 new" in text_of(answer)
    assert rows_of(answer) == []
    assert str(fresh[0].pk) not in answer


def test_line_counts_only_what_passes_the_filters(web: Client, owner: User) -> None:
    html = body_of(web.get(f"{JOBS}?text=golden"))
    clone_job(owner, "other", "other_1")
    assert "new-jobs" not in swapped_in(body_of(poll(web, html)))
    clone_job(owner, "golden", "golden_1")
    assert "1 new" in text_of(body_of(poll(web, html)))


def test_line_goes_on_from_answer_to_answer(web: Client, owner: User) -> None:
    html = body_of(web.get(JOBS))
    for count in (1, 2):
        clone_job(owner)
        html = body_of(poll(web, html))
        assert f"{count} new" in text_of(html)
    assert poll(web, html).status_code == 204


def test_open_tree_is_kept_up_to_date(web: Client, owner: User) -> None:
    root = server_job(owner)
    html = body_of(web.get(f"{JOBS}?open={root.pk}"))
    _, first, _ = jobs_of(root)
    work_on(first, 500)
    swapped = swapped_in(body_of(poll(web, html)))
    assert {f"figures-{job.pk}-progress" for job in (root, first)} <= swapped
    assert len(swapped) == 6


def test_filter_form_is_never_swapped(web: Client, owner: User) -> None:
    job = clone_job(owner)
    html = body_of(web.get(JOBS))
    put_into(job, "failed")
    assert "<form" not in body_of(poll(web, html))


def test_list_asks_once_in_thirty_seconds_while_nothing_runs(web: Client, owner: User) -> None:
    job = clone_job(owner)
    assert interval_of(body_of(web.get(JOBS))) == 2
    put_into(job, "success")
    assert interval_of(body_of(web.get(JOBS))) == 30


def test_tab_learns_of_running_and_of_failed_jobs(web: Client, owner: User) -> None:
    job = clone_job(owner)
    html = body_of(web.get(JOBS))
    assert 'data-running="1"' in html
    put_into(job, "failed")
    answer = body_of(poll(web, html))
    assert 'data-running=""' in answer
    assert 'data-failed="1"' in answer


def test_poll_of_a_strangers_rows_shows_nothing(
    web: Client, stranger_web: Client, owner: User
) -> None:
    job = clone_job(owner, "secret", "secret_1")
    address = poll_address(body_of(web.get(JOBS)))
    put_into(job, "success")
    answer = stranger_web.get(address, headers={"HX-Request": "true"})
    assert "secret" not in answer.content.decode()


@pytest.mark.parametrize("rows", ["", "x", "1,2,x", "999999999999", "-1"])
def test_poll_takes_any_rows(web: Client, owner: User, rows: str) -> None:
    address = f"{JOBS}?rows={rows}&v=xx&top=x"
    assert web.get(address, headers={"HX-Request": "true"}).status_code == 200


def test_answers_are_told_apart_by_who_asks(web: Client, owner: User) -> None:
    assert "HX-Request" in web.get(JOBS)["Vary"]


def test_poll_of_fifty_running_trees_costs_as_many_queries_as_of_one(
    web: Client, owner: User
) -> None:
    def polled() -> list[str]:
        html = body_of(web.get(JOBS))
        for leaf in Job.objects.leaves().unfinished():
            work_on(leaf, leaf.bytes_done + 1)
        return queries_of(lambda: poll(web, html))

    server_job(owner)
    few = polled()
    for _ in range(49):
        server_job(owner)
    many = polled()
    assert_as_many(few, many)
    assert len(many) <= 9, "\n".join(many)
