"""The pages of servers; what may be done with one, `servers.actions` decides."""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from cloudjobs.pages.acting import Question, ask, attempt, attempt_form, posted
from cloudjobs.pages.lists import Listing, read_listing
from cloudjobs.pages.live import SOON, Live, Part, live_page, pace
from jobs.history import history_of, job_page
from jobs.listing import tab_counts
from servers import actions
from servers.forms import CloneForm, DeletionForm, ServerForm
from servers.models import Server
from servers.querysets import KIND
from servers.rows import row_of


class Power(NamedTuple):
    """An action on a server's power: its name on a button, what it brings, and what was done."""

    act: Callable[[UUID, Any], None]
    verb: str
    consequence: str
    done: str


POWER = {
    "start": Power(actions.start_server, "Start", "It runs with the drives it has.", "starts"),
    "stop": Power(
        actions.stop_server,
        "Stop",
        "It loses its power at once; what it has not written is lost.",
        "stops",
    ),
    "shutdown": Power(
        actions.shut_down_server, "Shut down", "Its guest is asked to shut down.", "shuts down"
    ),
}


@login_required
@require_safe
def server_list(request: HttpRequest) -> HttpResponse:
    """Show the user's servers, newest first."""
    user: Any = request.user
    listing: Listing[Server] = read_listing(request, own_servers(user))
    rows = [row_of(server) for server in listing.objects]
    parts = [*(row.as_part() for row in rows), *listing.gone_parts("server")]
    live = Live(listing.path, pace(sum(row.is_passing for row in rows)), **tab_counts(user))
    return live_page(request, "servers/server_list.html", live, parts, rows=rows, listing=listing)


@login_required
@require_safe
def server_detail(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Show a server, its drives and cards, what can be done with it, and its jobs."""
    user: Any = request.user
    server = own_server(request, uuid)
    row, jobs = row_of(server), history_of(KIND, server.pk, user)
    parts = [
        Part("server-head", "servers/server_head.html", row),
        Part("server-facts", "servers/server_facts.html", row),
        Part("server-drives", "servers/server_drives.html", row, key=row.drives),
        *jobs.parts(),
    ]
    live = Live(request.path, SOON if row.is_passing or jobs.is_live else 0, **tab_counts(user))
    return live_page(request, "servers/server_detail.html", live, parts, row=row, jobs=jobs)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Make a server with drives and network cards."""
    user: Any = request.user
    form = ServerForm(user, posted(request))
    if form.is_valid():
        servers = attempt_form(form, lambda: actions.create_servers(user, [form.spec()]))
        if servers:
            messages.success(request, f"{servers[0].name} was made.")
            return redirect("servers:detail", servers[0].pk)
    return render(request, "servers/server_create.html", {"form": form})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def clone(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Clone a server with its disks, and go to the job that does it."""
    user: Any = request.user
    source = own_server(request, uuid)
    form = CloneForm(source, posted(request))
    if form.is_valid():
        made = attempt_form(form, lambda: actions.clone_server(source.pk, user, form.wishes()))
        if made:
            messages.success(request, f"Cloning {source.name} as {made.name}.")
            return redirect(job_page(KIND, made.pk))
    return render(request, "servers/server_clone.html", {"form": form, "row": row_of(source)})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def power(request: HttpRequest, uuid: UUID, action: str) -> HttpResponse:
    """Start, stop or shut down a server; on GET ask first."""
    user: Any = request.user
    server, change = own_server(request, uuid), POWER[action]
    page = reverse("servers:detail", args=[uuid])

    def act() -> str:
        change.act(server.pk, user)
        return f"{server.name} {change.done}."

    if request.method == "POST":
        attempt(request, act)
        return redirect(page)
    asked = Question(
        question=f"{change.verb} {server.name}?",
        consequences=(change.consequence,),
        verb=f"{change.verb} the server",
        url=request.path,
        is_harmful=action == "stop",
    )
    return ask(request, asked, page)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Ask whether to delete a server, and which of its drives; do it on POST."""
    user: Any = request.user
    server = own_server(request, uuid)
    page = reverse("servers:detail", args=[uuid])
    form = DeletionForm(posted(request))

    def act() -> str:
        actions.delete_servers([server.pk], user, form.cleaned_data["recurse"])
        return f"{server.name} was deleted."

    if form.is_valid():
        return redirect("servers:list" if attempt(request, act) else page)
    return ask(request, deletion(server), page, form)


def deletion(server: Server) -> Question:
    return Question(
        question=f"Delete {server.name}?",
        consequences=("The server and its network addresses are gone for good.",),
        verb="Delete the server",
        url=reverse("servers:delete", args=[server.pk]),
        is_harmful=True,
    )


def own_servers(user: Any) -> QuerySet[Server]:
    return Server.objects.owned_by(user).prefetch_related("mounts__drive", "nics")


def own_server(request: HttpRequest, uuid: UUID) -> Server:
    """Return a server of the user who asks; there is no other."""
    return get_object_or_404(own_servers(request.user), pk=uuid)
