"""The pages of drives; what may be done with one, `drives.actions` decides."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from cloudjobs.pages.acting import Question, ask, attempt, attempt_form, posted
from cloudjobs.pages.lists import Listing, read_listing
from cloudjobs.pages.live import CALM, SOON, Live, Part, live_page, pace
from drives import actions
from drives.cloning import clone_drive
from drives.forms import CloneForm, DriveForm, UploadForm
from drives.models import Drive
from drives.querysets import KIND
from drives.rows import failure_of, row_of
from drives.uploads.whole import upload_drive
from jobs.history import history_of, job_page
from jobs.listing import tab_counts


@login_required
@require_safe
def drive_list(request: HttpRequest) -> HttpResponse:
    """Show the user's drives, newest first."""
    user: Any = request.user
    drives = Drive.objects.owned_by(user).prefetch_related("mounts__server")
    listing: Listing[Drive] = read_listing(request, drives)
    rows = [row_of(drive) for drive in listing.objects]
    parts = [*(row.as_part() for row in rows), *listing.gone_parts("drive")]
    live = Live(listing.path, pace(sum(row.is_passing for row in rows)), **tab_counts(user))
    return live_page(request, "drives/drive_list.html", live, parts, rows=rows, listing=listing)


@login_required
@require_safe
def drive_detail(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Show a drive, what can be done with it, and its jobs."""
    user: Any = request.user
    drive = reachable_drive(request, uuid)
    row, jobs = row_of(drive, failure_of(drive)), history_of(KIND, drive.pk, user)
    parts = [
        Part("drive-head", "drives/drive_head.html", row),
        Part("drive-facts", "drives/drive_facts.html", row),
        *jobs.parts(),
    ]
    rests = CALM if row.busy_with else 0
    live = Live(request.path, SOON if row.is_passing or jobs.is_live else rests, **tab_counts(user))
    return live_page(request, "drives/drive_detail.html", live, parts, row=row, jobs=jobs)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Make an empty drive."""
    user: Any = request.user
    form = DriveForm(posted(request))
    if form.is_valid():
        drives = attempt_form(form, lambda: actions.create_drives(user, [form.spec()], frozenset()))
        if drives:
            messages.success(request, f"{drives[0].name} is being made.")
            return redirect("drives:detail", drives[0].pk)
    return render(request, "drives/drive_create.html", {"form": form})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """Take an image as a form brings it; with JavaScript it goes to the API, with a bar."""
    user: Any = request.user
    form = UploadForm(posted(request), request.FILES or None)
    if form.is_valid():
        image = form.cleaned_data["image"]
        drive = attempt_form(
            form,
            lambda: upload_drive(user, form.spec(), image, image.size, frozenset()),
        )
        if drive:
            messages.success(request, f"{drive.name} was uploaded.")
            return redirect("drives:detail", drive.pk)
    return render(request, "drives/drive_upload.html", {"form": form})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def clone(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Clone a drive, and go to the job that does it."""
    user: Any = request.user
    source = reachable_drive(request, uuid)
    form = CloneForm(source, user, posted(request))
    if form.is_valid():
        avoid = frozenset(drive.pk for drive in form.cleaned_data["avoid"])
        made = attempt_form(form, lambda: clone_drive(source.pk, user, form.wishes(), avoid))
        if made:
            messages.success(request, f"Cloning {source.name} as {made.name}.")
            return redirect(job_page(KIND, made.pk))
    return render(request, "drives/drive_clone.html", {"form": form, "row": row_of(source)})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Ask whether to delete a drive; do it on POST."""
    user: Any = request.user
    drive = own_drive(request, uuid)
    page = reverse("drives:detail", args=[uuid])

    def act() -> str:
        actions.delete_drives([drive.pk], user)
        return f"{drive.name} is being deleted."

    if request.method == "POST":
        return redirect("drives:list" if attempt(request, act) else page)
    return ask(request, deletion(drive), page)


def deletion(drive: Drive) -> Question:
    """Return the question before a drive is deleted, and what goes with it."""
    row = row_of(drive)
    servers = tuple(f"The server {mount.name} loses it ({mount.place})." for mount in row.mounts)
    return Question(
        question=f"Delete {drive.name}?",
        consequences=(f"{row.size} on {row.storage_host} are gone for good.", *servers),
        verb="Delete the drive",
        url=reverse("drives:delete", args=[drive.pk]),
        is_harmful=True,
    )


def reachable_drive(request: HttpRequest, uuid: UUID) -> Drive:
    """Return a drive of the user who asks, or of the library, with what the user mounts it on."""
    user: Any = request.user
    drives = Drive.objects.reachable_by(user).with_mounts_of(user)
    drive: Drive = get_object_or_404(drives, pk=uuid)
    return drive


def own_drive(request: HttpRequest, uuid: UUID) -> Drive:
    """Return a drive of the user who asks; there is no other."""
    user: Any = request.user
    mine = Drive.objects.owned_by(user).with_mounts_of(user)
    drive: Drive = get_object_or_404(mine, pk=uuid)
    return drive
