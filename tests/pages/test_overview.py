"""`/`: what is going on."""

from datetime import timedelta
from pathlib import Path

from django.test import Client
from django.utils import timezone

from accounts.models import User
from jobs.models import Job
from tests.factories import DriveFactory
from tests.html import body_of, interval_of, poll, swapped_in, text_of
from tests.jobs.pages import clone_job, made_ago, put_into, server_job
from tests.jobs.test_list_poll import work_on
from tests.trees import jobs_of
from tests.wire import assert_as_many, queries_of


def test_newcomer_is_told_what_to_do_first(web: Client, storage: Path) -> None:
    html = body_of(web.get("/"))
    assert "Bring an image" in text_of(html)
    assert 'href="/drives/upload/"' in html


def test_owner_of_drives_is_told_that_nothing_runs(web: Client, owner: User, storage: Path) -> None:
    DriveFactory(owner=owner)
    assert "Nothing is running" in text_of(body_of(web.get("/")))


def test_running_jobs_show_their_trees(web: Client, owner: User, storage: Path) -> None:
    root = server_job(owner)
    html = body_of(web.get("/"))
    assert all(f'id="figures-{job.pk}-progress"' in html for job in jobs_of(root))


def test_failures_of_the_last_day_show_their_reason(
    web: Client, owner: User, storage: Path
) -> None:
    put_into(clone_job(owner, "golden", "b"), "failed", error="The disk is on fire.")
    slow = put_into(clone_job(owner, "large", "b"), "failed", error="It took two days.")
    made_ago(slow, days=2)
    slow.refresh_from_db()
    old = put_into(clone_job(owner, "ancient", "b"), "failed", error="Too old.")
    Job.objects.filter(pk=old.pk).update(finished_at=timezone.now() - timedelta(hours=25))
    text = text_of(body_of(web.get("/")))
    told = f"Noted test large → b It took two days. {slow.finished_at:%H:%M} UTC "
    assert f"{told}Noted test golden → b The disk is on fire." in text
    assert "Too old." not in text


def test_counts_lead_into_the_filtered_list(web: Client, owner: User, storage: Path) -> None:
    put_into(clone_job(owner), "cancelled")
    html = body_of(web.get("/"))
    assert 'href="/jobs/?state=cancelled"' in html
    assert "Cancelled 1" in text_of(html)


def test_storage_shows_its_space(web: Client, storage: Path) -> None:
    text = text_of(body_of(web.get("/")))
    assert "zadara-1 zadara 16 GiB free" in text


def test_storage_that_does_not_answer_is_told(web: Client, storage: Path) -> None:
    (storage / "nvme-1").parent.mkdir(parents=True, exist_ok=True)
    (storage / "nvme-1").write_text("no folder")
    assert "nvme-1 nvme does not answer" in text_of(body_of(web.get("/")))


def test_poll_swaps_the_figures_that_move(web: Client, owner: User, storage: Path) -> None:
    job = clone_job(owner)
    html = body_of(web.get("/"))
    work_on(job, 100)
    swapped = swapped_in(body_of(poll(web, html)))
    assert f"figures-{job.pk}-progress" in swapped
    assert "running" not in swapped


def test_poll_swaps_the_list_when_a_job_comes(web: Client, owner: User, storage: Path) -> None:
    html = body_of(web.get("/"))
    assert interval_of(html) == 30
    clone_job(owner)
    answer = body_of(poll(web, html))
    assert {"running", "chips"} <= swapped_in(answer)
    assert interval_of(answer) == 2


def test_strangers_jobs_are_not_shown(stranger_web: Client, owner: User, storage: Path) -> None:
    clone_job(owner, "secret", "b")
    put_into(clone_job(owner, "secret", "b"), "failed")
    assert "secret" not in body_of(stranger_web.get("/"))


def test_overview_costs_as_many_queries_for_two_as_for_ten(
    web: Client, owner: User, storage: Path
) -> None:
    def add(count: int) -> None:
        for _ in range(count):
            server_job(owner)
            put_into(clone_job(owner), "failed")

    add(2)
    few = queries_of(lambda: web.get("/"))
    add(8)
    assert_as_many(few, queries_of(lambda: web.get("/")))
    assert len(few) <= 11, "\n".join(few)
    assert Job.objects.roots().count() == 20
