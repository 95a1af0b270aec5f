"""The pages of jobs. One address serves the whole page and what a poll asks for."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from cloudjobs.pages.live import QUICK, Live, Part, live_page, pace
from jobs.detail import detail_parts, fetch_tree
from jobs.listing import (
    PAGE,
    SINCE,
    Filters,
    Page,
    beyond,
    capped_count,
    counts_by_state,
    cursor_of,
    read_cursor,
    read_page,
    root_jobs,
    tab_counts,
    trees_of,
)
from jobs.models import Job
from jobs.registry import visible_operations
from jobs.rows import JobGroup, group_of, verb_of

MOST_NEW = 99
CHIPS = (
    ("", "All", ""),
    ("started", "In progress", "running"),
    ("failed", "Failed", "failed"),
    ("cancelled", "Cancelled", "cancelled"),
    ("success", "Succeeded", "success"),
)


@dataclass(frozen=True)
class Chip:
    """A state, how many jobs have it, and the list of them."""

    word: str
    icon: str
    url: str
    count: str
    is_current: bool


@dataclass(frozen=True)
class Chips:
    chips: tuple[Chip, ...]

    def as_part(self) -> Part:
        return Part("chips", "jobs/state_chips.html", self)


@dataclass(frozen=True)
class NewJobs:
    """How many jobs came after those on the page, and the page that has them."""

    count: str
    url: str

    def as_part(self) -> Part:
        return Part("new-jobs", "jobs/new_jobs.html", self)


@login_required
@require_safe
def job_list(request: HttpRequest) -> HttpResponse:
    """Show root jobs, newest first; a poll keeps to the rows that the page has."""
    user: Any = request.user
    filters = Filters.read(request.GET.dict())
    jobs = filters.apply(root_jobs(user))
    page, trees = read_rows(request, jobs)
    groups = [grouped(request, job) for job in trees]
    counts = counts_by_state(user)
    chips = chips_of(counts, filters)
    new_jobs, top = newer_jobs(request, jobs, trees, filters)
    rows = ",".join(str(tree.tree_id) for tree in trees)
    live = Live(
        path=address(request, rows=rows, top=top),
        interval=pace(sum(not job.is_finished for job in trees)),
        **tab_counts(user, counts["started"]),
    )
    parts = [chips.as_part(), new_jobs.as_part()]
    parts += [part for group in groups for part in group.parts()]
    return live_page(
        request,
        "jobs/job_list.html",
        live,
        parts,
        groups=groups,
        rows=rows,
        filters=filters,
        chips=chips,
        new_jobs=new_jobs,
        page=page,
        newer_url=filters.query(after=page.newer),
        older_url=filters.query(before=page.older),
        operations=[(name, verb_of(name)) for name in visible_operations()],
        since=[(name, words) for name, (words, _) in SINCE.items()],
    )


def read_rows(request: HttpRequest, jobs: Any) -> tuple[Page, list[Job]]:
    """Return the page and its trees; htmx names the rows that the reader has before them."""
    user: Any = request.user
    if "rows" in request.GET and "HX-Request" in request.headers:
        texts = request.GET["rows"].split(",")[:PAGE]
        numbers = [int(text) for text in texts if text.isdecimal() and len(text) < 10]
        return Page([]), trees_of(numbers, user)
    page = read_page(jobs, request.GET.get("before", ""), request.GET.get("after", ""))
    return page, trees_of([job.tree_id for job in page.jobs], user)


def grouped(request: HttpRequest, job: Job) -> JobGroup:
    """Return a job with its tree open, if the address says so."""
    opened = request.GET.getlist("open")
    key = str(job.pk)
    others = [uuid for uuid in opened if uuid != key]
    toggle = (
        "" if job.is_leaf else address(request, open=others if key in opened else [*opened, key])
    )
    return group_of(job, key in opened, toggle, can_select=True)


def address(request: HttpRequest, **changes: Any) -> str:
    """Return the list's address with some parameters changed, without those of polls."""
    query = request.GET.copy()
    for name in ("v", "rows", "top"):
        query.pop(name, None)
    for name, value in changes.items():
        query.setlist(name, value if isinstance(value, list) else [value])
    return f"{request.path}?{query.urlencode()}"


def newer_jobs(
    request: HttpRequest, jobs: Any, trees: list[Job], filters: Filters
) -> tuple[NewJobs, str]:
    """Return how many jobs came after the top of the page, and that top for the next poll.

    Only the first page tells: the others are about what was.
    """
    url = request.path + filters.query()
    if "before" in request.GET or "after" in request.GET:
        return NewJobs("", url), ""
    if "top" not in request.GET:
        return NewJobs("", url), cursor_of(trees[0]) if trees else "none"
    top = request.GET["top"]
    place = read_cursor(top)
    newer = beyond(jobs, place, newer=True) if place else jobs
    return NewJobs(capped_count(newer, MOST_NEW), url), top


def chips_of(counts: dict[str, str], filters: Filters | None = None) -> Chips:
    """Return the counts of the states as links into the list, which keep its other filters."""
    kept = filters or Filters()
    page = reverse("jobs:list")
    chips = (
        Chip(
            word=word,
            icon=icon,
            url=page + kept.query(state=state),
            count=counts.get(state, ""),
            is_current=filters is not None and state == filters.state,
        )
        for state, word, icon in CHIPS
    )
    return Chips(tuple(chips))


@login_required
@require_safe
def job_detail(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Show one job: its tree, figures, timeline and log. A finished one is never polled."""
    user: Any = request.user
    job = get_object_or_404(Job.objects.visible(), owner=user, pk=uuid)
    job = fetch_tree(job)
    parts = detail_parts(job, for_staff=user.is_staff)
    live = Live(request.path, 0 if job.is_finished else QUICK, **tab_counts(user))
    shown = {part.template.rpartition("/")[2].removesuffix(".html"): part.shown for part in parts}
    return live_page(request, "jobs/job_detail.html", live, parts, job=job, **shown)
