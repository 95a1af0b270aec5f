"""Cancel and retry from pages: the question first, then the act."""

from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from jobs.models import Job
from tests.html import body_of, swapped_in, text_of
from tests.jobs.pages import clone_job, put_into, server_job

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/jobs/?state=started"}


def state_of(job: Job) -> str:
    return Job.objects.get(pk=job.pk).state


def test_question_names_the_job_and_what_will_happen(web: Client, owner: User) -> None:
    job = clone_job(owner, "golden", "golden_1")
    text = text_of(body_of(web.get(f"/jobs/{job.pk}/cancel/")))
    assert "Cancel “Noted test golden → golden_1”?" in text
    assert "What is not complete yet is deleted" in text
    assert state_of(job) == "started"


def test_question_in_a_dialog_is_no_whole_page(web: Client, owner: User) -> None:
    html = body_of(web.get(f"/jobs/{clone_job(owner).pk}/cancel/", headers=HTMX))
    assert "<html" not in html
    assert "hx-post" in html


def test_cancel_leads_back_to_the_job(web: Client, owner: User) -> None:
    job = clone_job(owner, "golden", "golden_1")
    response = web.post(f"/jobs/{job.pk}/cancel/", follow=True)
    assert response.redirect_chain == [(f"/jobs/{job.pk}/", 302)]
    assert "Cancelled: Noted test golden → golden_1." in text_of(body_of(response))
    assert state_of(job) == "cancelled"


def test_cancel_leads_to_no_other_site(web: Client, owner: User) -> None:
    job = clone_job(owner)
    response = web.post(f"/jobs/{job.pk}/cancel/", {"next": "https://evil.example.com/"})
    assert response["Location"] == f"/jobs/{job.pk}/"


def test_cancel_in_a_dialog_answers_with_the_message_and_a_wink_to_poll(
    web: Client, owner: User
) -> None:
    job = clone_job(owner)
    response = web.post(f"/jobs/{job.pk}/cancel/", headers=HTMX)
    assert response["HX-Trigger"] == "cloudjobs:changed"
    assert swapped_in(body_of(response)) == {"messages"}
    assert state_of(job) == "cancelled"


def test_retry_lets_a_failed_job_wait_again(web: Client, owner: User) -> None:
    job = put_into(clone_job(owner), "failed")
    web.post(f"/jobs/{job.pk}/retry/")
    assert state_of(job) == "started"


def test_refusal_is_told(web: Client, owner: User) -> None:
    job = put_into(clone_job(owner), "success")
    response = web.post(f"/jobs/{job.pk}/cancel/", follow=True)
    assert "has ended already" in text_of(body_of(response))
    assert state_of(job) == "success"


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_stranger_cannot_steer(stranger_web: Client, owner: User, action: str) -> None:
    job = clone_job(owner)
    for method in (stranger_web.get, stranger_web.post):
        assert method(f"/jobs/{job.pk}/{action}/").status_code == 404
    assert state_of(job) == "started"


def test_anonymous_cannot_steer(anonymous_web: Client, owner: User) -> None:
    job = clone_job(owner)
    response = anonymous_web.post(f"/jobs/{job.pk}/cancel/")
    assert response["Location"].startswith("/login/")
    assert state_of(job) == "started"


def test_selected_jobs_are_named_before_anything_happens(web: Client, owner: User) -> None:
    jobs = [clone_job(owner, name, "b") for name in ("one", "two")]
    given = {"action": "cancel", "uuid": [str(job.pk) for job in jobs]}
    text = text_of(body_of(web.post("/jobs/selected/", given)))
    assert "Cancel 2 jobs?" in text
    assert "Noted test one → b" in text
    assert {state_of(job) for job in jobs} == {"started"}


def test_selected_jobs_that_have_ended_are_left_out_and_that_is_told(
    web: Client, owner: User
) -> None:
    jobs = [clone_job(owner) for _ in range(3)]
    put_into(jobs[0], "failed")
    given = {"action": "cancel", "uuid": [str(job.pk) for job in jobs]}
    text = text_of(body_of(web.post("/jobs/selected/", given)))
    assert "Cancel 2 jobs?" in text
    assert "1 more that you selected cannot be cancelled" in text


@pytest.mark.parametrize(
    ("state", "told", "silent"),
    [
        ("failed", "goes on from what is safe on disk", "What was cancelled begins anew"),
        ("cancelled", "What was cancelled begins anew", "goes on from what is safe on disk"),
    ],
)
def test_retry_tells_what_comes_of_this_job(
    web: Client, owner: User, state: str, told: str, silent: str
) -> None:
    job = put_into(clone_job(owner), state)
    text = text_of(body_of(web.get(f"/jobs/{job.pk}/retry/")))
    assert told in text
    assert silent not in text
    assert "Parts that succeeded" not in text


def test_cancel_of_a_tree_tells_that_what_it_makes_stays(web: Client, owner: User) -> None:
    text = text_of(body_of(web.get(f"/jobs/{server_job(owner).pk}/cancel/")))
    assert "web-2 stays, without the parts that were not complete." in text


def test_selected_jobs_are_cancelled_once_confirmed(
    web: Client, owner: User, stranger: User
) -> None:
    jobs = [clone_job(owner) for _ in range(3)]
    foreign = clone_job(stranger)
    picked = [str(job.pk) for job in (*jobs[:2], foreign)]
    given = {"action": "cancel", "uuid": picked, "confirmed": "yes", "next": "/jobs/?since=1d"}
    response = web.post("/jobs/selected/", given)
    assert response["Location"] == "/jobs/?since=1d"
    assert [state_of(job) for job in jobs] == ["cancelled", "cancelled", "started"]
    assert state_of(foreign) == "started"


@pytest.mark.parametrize(
    "given",
    [{}, {"action": "cancel"}, {"action": "explode"}, {"action": "cancel", "uuid": "x"}],
)
def test_selection_of_nothing_is_told(web: Client, owner: User, given: dict[str, str]) -> None:
    response = web.post("/jobs/selected/", given, follow=True)
    assert "None of the selected jobs" in text_of(body_of(response))


def test_unknown_uuid_is_not_found(web: Client, owner: User) -> None:
    assert web.post(f"/jobs/{uuid4()}/cancel/").status_code == 404


def test_cancel_leads_to_nothing_but_an_address(web: Client, job: Job) -> None:
    answer = web.post(f"/jobs/{job.pk}/cancel/", {"next": "overview"})
    assert (answer.status_code, answer["Location"]) == (302, f"/jobs/{job.pk}/")
