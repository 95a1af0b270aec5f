"""Cancelling and retrying from pages: first the question that names what will happen, then the act.

What may be done, and what comes of it, the actions decide.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from cloudjobs.api.filters import is_uuid
from cloudjobs.pages.acting import Question, ask, attempt, go_on, next_page
from jobs.actions import cancel_job, retry_job
from jobs.listing import PAGE
from jobs.models import Job
from jobs.querysets import with_trees
from jobs.roll_up import walk
from jobs.rows import Frame, frame_of

ACTIONS: dict[str, Callable[[UUID, Any], Job]] = {"cancel": cancel_job, "retry": retry_job}
VERBS = {"cancel": "Cancel", "retry": "Retry"}
DONE_TO = {"cancel": "cancelled", "retry": "retried"}
DONE = {"cancel": "Cancelled: {}.", "retry": "Waiting again: {}."}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, uuid: UUID, action: str) -> HttpResponse:
    """Ask whether to cancel or retry a job; do it on POST."""
    user: Any = request.user
    job = get_object_or_404(Job.objects.visible(), owner=user, pk=uuid)
    page = reverse("jobs:detail", args=[uuid])
    if request.method == "POST":
        attempt(request, partial(steer, action, job.pk, user))
        return go_on(request, next_page(request, page))
    return ask_for(request, action, [job], reverse(f"jobs:{action}", args=[uuid]))


@login_required
@require_POST
def selected(request: HttpRequest) -> HttpResponse:
    """Ask whether to cancel or retry several jobs; do it once that is confirmed."""
    user: Any = request.user
    action = request.POST.get("action", "")
    uuids = [text for text in request.POST.getlist("uuid")[:PAGE] if is_uuid(text)]
    jobs = list(Job.objects.visible().filter(owner=user, pk__in=uuids).order_by("-created"))
    fitting = [job for job in jobs if action in job.allowed_actions]
    if not fitting:
        messages.error(request, "None of the selected jobs can be treated like that.")
        return redirect(next_page(request, reverse("jobs:list")))
    if not request.POST.get("confirmed"):
        left_out = len(jobs) - len(fitting)
        return ask_for(request, action, fitting, reverse("jobs:selected"), left_out)
    for job in fitting:
        attempt(request, partial(steer, action, job.pk, user))
    return go_on(request, next_page(request, reverse("jobs:list")))


def steer(action: str, uuid: UUID, user: Any) -> str:
    """Cancel or retry a job and return what was done."""
    job = ACTIONS[action](uuid, user)
    return DONE[action].format(frame_of(with_trees([job])[0]).title)


def ask_for(
    request: HttpRequest, action: str, jobs: list[Job], url: str, left_out: int = 0
) -> HttpResponse:
    """Return the question whether to cancel or retry the jobs; lists are answered in place.

    `left_out` is how many were selected of which that cannot be asked.
    """
    jobs = with_trees(jobs)
    frames = [frame_of(job) for job in jobs]
    then = next_page(request, frames[0].url)
    uuids = tuple(("uuid", frame.uuid) for frame in frames)
    asked = Question(
        question=question(action, frames),
        consequences=(*CONSEQUENCES[action](jobs), *of_those_left_out(action, left_out)),
        verb=f"{VERBS[action]} {counted(len(frames))}",
        url=url,
        is_harmful=action == "cancel",
        things=tuple(frame.title for frame in frames) if len(frames) > 1 else (),
        hidden=(*uuids, ("action", action), ("confirmed", "yes")),
    )
    return ask(request, asked, then, in_place=not any(frame.url in then for frame in frames))


def question(action: str, frames: list[Frame]) -> str:
    what = f"“{frames[0].title}”" if len(frames) == 1 else counted(len(frames))
    return f"{VERBS[action]} {what}?"


def of_cancel(jobs: list[Job]) -> Iterator[str]:
    """Yield what comes of cancelling jobs whose trees are fetched."""
    yield "The copy stops within a second or two."
    yield "What is not complete yet is deleted, and its bytes are freed; what is complete stays."
    for job in jobs:
        if job.resources and not job.is_leaf:
            yield f"{job.resources[-1]['name']} stays, without the parts that were not complete."
    yield "The source is not touched. The job can be retried."


def of_retry(jobs: list[Job]) -> Iterator[str]:
    """Yield what comes of retrying jobs whose trees are fetched."""
    if not all(job.is_leaf for job in jobs):
        yield "Parts that succeeded stay as they are."
    states = {node.state for node in walk(jobs) if node.is_leaf}
    if Job.State.FAILED in states:
        yield "What failed waits for a worker, and goes on from what is safe on disk."
    if Job.State.CANCELLED in states:
        yield "What was cancelled begins anew, as its bytes were freed."


CONSEQUENCES: dict[str, Callable[[list[Job]], Iterator[str]]] = {
    "cancel": of_cancel,
    "retry": of_retry,
}


def of_those_left_out(action: str, count: int) -> Iterator[str]:
    if count:
        yield f"{count} more that you selected cannot be {DONE_TO[action]} and will stay as before."


def counted(count: int) -> str:
    return "the job" if count == 1 else f"{count} jobs"
