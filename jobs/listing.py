"""The list of jobs as a page asks for it: filters, a bounded page, and capped counts.

No query here counts or walks the whole history. Pages are keysets on (created, uuid), newest
first; counts end at a cap; a search looks through the newest jobs only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from mptt.utils import get_cached_trees

from accounts.models import User
from cloudjobs.api.filters import is_comparable, is_uuid
from jobs.models import Job
from jobs.roll_up import walk

PAGE = 50
CAP = 1000
SEARCHED = 20_000  # jobs, the newest ones
LATELY = timedelta(days=1)
SINCE = {
    "1h": ("Last hour", timedelta(hours=1)),
    "1d": ("Last day", timedelta(days=1)),
    "3d": ("Last 3 days", timedelta(days=3)),
}


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; the address says it."""

    state: str = ""
    operation: str = ""
    text: str = ""
    since: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "Filters":
        """Return the filters that an address has; what cannot be is left out."""
        state, since, text = (given.get(name, "") for name in ("state", "since", "text"))
        return cls(
            state=state if state in Job.State.values else "",
            operation=given.get("operation", "")[:64].replace("\x00", ""),
            text=text.strip() if is_comparable("text", text) else "",
            since=since if since in SINCE else "",
        )

    def params(self, **changes: str) -> dict[str, str]:
        """Return what an address needs to have these filters, with some changed."""
        mine = {
            "state": self.state,
            "operation": self.operation,
            "text": self.text,
            "since": self.since,
        }
        return {name: value for name, value in (mine | changes).items() if value}

    def query(self, **changes: str) -> str:
        return f"?{urlencode(self.params(**changes))}"

    def apply(self, jobs: Any) -> Any:
        """Return those of a user's root jobs that pass."""
        if self.since:
            jobs = jobs.filter(created__gte=timezone.now() - SINCE[self.since][1])
        if self.text:
            jobs = searched(jobs, self.text)
        if self.state:
            jobs = jobs.filter(state=self.state)
        return jobs.filter(operation=self.operation) if self.operation else jobs


def searched(jobs: Any, text: str) -> Any:
    """Return the newest jobs whose objects' names have the text, or which have that uuid."""
    if is_uuid(text):
        return jobs.filter(Q(pk=UUID(text)) | Q(links__object_uuid=UUID(text))).distinct()
    oldest = newest_first(jobs).values_list("created", flat=True)[SEARCHED : SEARCHED + 1].first()
    if oldest is not None:
        jobs = jobs.filter(created__gt=oldest)
    named = Q(resources__0__name__icontains=text) | Q(resources__1__name__icontains=text)
    return jobs.filter(named)


@dataclass(frozen=True)
class Page:
    """A page of root jobs with their trees, and where the next ones are."""

    jobs: list[Job]
    newer: str = ""
    older: str = ""


def root_jobs(owner: User) -> Any:
    return Job.objects.roots().visible().filter(owner=owner)


def newest_first(jobs: Any) -> Any:
    return jobs.order_by("-created", "-uuid")


def read_page(jobs: Any, before: str = "", after: str = "") -> Page:
    """Return the page behind a cursor, or the one in front of it, or the first one."""
    if place := read_cursor(after):
        rows = list(beyond(jobs, place, newer=True).order_by("created", "uuid")[: PAGE + 1])
        found, more_newer, more_older = rows[:PAGE][::-1], len(rows) > PAGE, True
    else:
        place = read_cursor(before)
        behind = beyond(jobs, place, newer=False) if place else jobs
        rows = list(newest_first(behind)[: PAGE + 1])
        found, more_newer, more_older = rows[:PAGE], place is not None, len(rows) > PAGE
    if not found:
        return Page([])
    return Page(
        found,
        newer=cursor_of(found[0]) if more_newer else "",
        older=cursor_of(found[-1]) if more_older else "",
    )


def beyond(jobs: Any, place: tuple[datetime, UUID], *, newer: bool) -> Any:
    """Return the jobs on one side of a place; the first condition is the one an index knows."""
    at, uuid = place
    if newer:
        tied = Q(created__gt=at) | Q(uuid__gt=uuid)
        return jobs.filter(tied, created__gte=at)
    tied = Q(created__lt=at) | Q(uuid__lt=uuid)
    return jobs.filter(tied, created__lte=at)


def cursor_of(job: Job) -> str:
    return f"{job.created.isoformat()}_{job.pk}"


def read_cursor(text: str) -> tuple[datetime, UUID] | None:
    """Return the place that a cursor names, or None if it is none."""
    at, _, uuid = text.partition("_")
    try:
        return datetime.fromisoformat(at).astimezone(UTC), UUID(uuid)
    except (ValueError, OverflowError):
        return None


def trees_of(numbers: list[int], owner: User) -> list[Job]:
    """Return the trees of these numbers, newest first: one query for all that is in them.

    The owner is not asked for in SQL: SQLite would then read all jobs that they ever had.
    """
    nodes = Job.objects.visible().without_log().filter(tree_id__in=numbers)
    roots = get_cached_trees(nodes.order_by("tree_id", "lft"))
    mine = [root for root in roots if root.owner_id == owner.pk]
    for node in walk(mine):
        node.owner = owner
    return sorted(mine, key=lambda job: (job.created, job.pk), reverse=True)


def failed_lately(owner: User) -> Any:
    """Return the root jobs of a user that failed within the last day, the last one first."""
    failed = root_jobs(owner).failed_since(timezone.now() - LATELY)
    return failed.order_by("-finished_at")


def capped_count(jobs: Any, cap: int = CAP) -> str:
    """Return how many there are, `1,000+` beyond the cap, nothing for none."""
    count = jobs.order_by()[: cap + 1].count()
    return f"{cap:,}+" if count > cap else str(count or "")


def counts_by_state(owner: User) -> dict[str, str]:
    """Return the capped count of each state: one bounded query for each."""
    jobs = root_jobs(owner)
    return {state: capped_count(jobs.filter(state=state)) for state in Job.State.values}


def tab_counts(owner: User, running: str | None = None) -> dict[str, str]:
    """Return what the tab tells: how many jobs have not ended, and how many failed lately."""
    if running is None:
        running = capped_count(root_jobs(owner).unfinished())
    return {"running": running, "failed": capped_count(failed_lately(owner))}
