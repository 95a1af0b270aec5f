"""`python -m tests.soak.invariants KNOWN`: what has to be so once all is at rest.

Runs with the settings of the service that was soaked; waits until no job is left, and prints as
JSON how long that took, and a list of what is not as it must be. `KNOWN` is JSON, too:

`contents`        size and sha256 of the data of each image, by the first word of its drive's name
`broken_uploads`  how many broke off as a process of the web server was killed
`hasten`          is the queue swept at once, so that nobody waits for its minute?
"""

import hashlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import django

django.setup()

from django.db.models import Count, Q  # noqa: E402

from drives import reconciliation  # noqa: E402
from drives.models import Drive, Snapshot  # noqa: E402
from drives.storage import get_host  # noqa: E402
from drives.storage.sparse import data_extents  # noqa: E402
from jobs import recovery  # noqa: E402
from jobs.models import Job  # noqa: E402

SECONDS_TO_REST = 180  # a lease, a sweep, and what waits by then
BLOCK = 4096  # bytes of a file system's block; data ends at one
ENDS = {"success", "failed", "cancelled"}
Contents = dict[str, tuple[int, str]]
# What an upload leaves if the web server dies; `reconcile_storage` frees it after a while.
LEFT_BY_UPLOADS = (
    reconciliation.Fault.PARTIAL_WITHOUT_JOB,
    reconciliation.Fault.IMAGE_WITHOUT_DRIVE,
)


def breaches(contents: Contents, broken_uploads: int) -> Iterator[str]:
    """Yield a sentence for each thing that is not as it must be."""
    yield from unfinished_jobs()
    yield from unsound_trees()
    yield from untrue_logs()
    yield from unexpected_failures()
    yield from untrue_statuses()
    yield from disagreements(broken_uploads)
    yield from other_contents(contents)


def unfinished_jobs() -> Iterator[str]:
    for job in Job.objects.unfinished():
        yield f"{job} is still {job.state}: leased {job.lease_token}, {job.attempts} attempts"


def unsound_trees() -> Iterator[str]:
    """Compare MPTT's numbers with those that follow from the parents."""
    trees: dict[int, list[Any]] = {}
    for job in Job.objects.order_by("tree_id", "lft").only(
        "uuid", "parent_id", "tree_id", "lft", "rght", "level"
    ):
        trees.setdefault(job.tree_id, []).append(job)
    for number, jobs in trees.items():
        if [(job.lft, job.rght, job.level) for job in jobs] != numbers_of(jobs):
            yield f"the numbers of tree {number} are not those of its parents"


def numbers_of(jobs: list[Any]) -> list[tuple[int, int, int]]:
    """Return left, right and level that jobs must have, by their parents; in the same order."""
    children: dict[Any, list[Any]] = {}
    for job in jobs:
        children.setdefault(job.parent_id, []).append(job)
    numbers: dict[Any, tuple[int, int, int]] = {}

    def number(job: Any, left: int, level: int) -> int:
        right = left + 1
        for child in children.get(job.pk, []):
            right = number(child, right, level + 1)
        numbers[job.pk] = left, right, level
        return right + 1

    roots = children.get(None, [])
    if len(roots) == 1:
        number(roots[0], 1, 0)
    return [numbers.get(job.pk, (0, 0, 0)) for job in jobs]


def untrue_logs() -> Iterator[str]:
    """A job's log has each end once, the last one being the state that it is in."""
    for job in Job.objects.exclude(state=Job.State.STARTED):
        kinds = [event["kind"] for event in job.events]
        ends = [kind for kind in kinds if kind in ENDS]
        counts = Counter(kinds)
        if kinds[-1] != job.state or counts["success"] > 1:
            yield f"{job} is {job.state}, its log says {kinds}"
        if len(ends) != counts["retried"] + 1:
            yield f"{job} ended {len(ends)} times: {kinds}"
        if job.is_leaf and job.state == "success" and job.bytes_done != job.weight:
            yield f"{job} succeeded with {job.bytes_done} of {job.weight} bytes"


def unexpected_failures() -> Iterator[str]:
    """A job may fail since all its workers died; no operation may break."""
    for job in Job.objects.filter(state=Job.State.FAILED).exclude(error_code="worker_lost"):
        yield f"{job} failed: {job.error_code} {job.error}"


def untrue_statuses() -> Iterator[str]:
    """A drive at rest is mounted if a server has it, and passes from nothing to nothing."""
    shown = Drive.objects.annotate(mounted=Count("mounts")).filter(owner__isnull=False)
    untrue = shown.filter(Q(status="mounted", mounted=0) | Q(status="unmounted", mounted__gt=0))
    for drive in untrue:
        yield f"drive {drive.pk} is {drive.status} with {drive.mounted} mounts"
    for drive in shown.exclude(status__in=[*Drive.SETTLED, Drive.Status.UNAVAILABLE]):
        yield f"drive {drive.pk} is {drive.status} at rest"
    for snapshot in Snapshot.objects.exclude(status=Snapshot.Status.AVAILABLE):
        yield f"snapshot {snapshot.pk} is {snapshot.status} at rest"


def disagreements(broken_uploads: int) -> Iterator[str]:
    """Ask the reconciliation, which elsewhere leaves alone what changed within ten minutes."""
    reconciliation.LEFT_ALONE_SECONDS = -1
    found = reconciliation.find()
    left = [finding for finding in found if finding.fault in LEFT_BY_UPLOADS]
    for finding in found:
        if finding not in left or len(left) > broken_uploads:
            yield f"storage: {finding}"


def other_contents(contents: Contents) -> Iterator[str]:
    """Compare what drives and snapshots have on the disk with what was uploaded."""
    rows = [*Drive.objects.filter(status__in=Drive.SETTLED), *Snapshot.objects.all()]
    for row in rows:
        size, digest = contents.get(row.name.split()[0], (0, hashlib.sha256().hexdigest()))
        image = get_host(row.storage_host).backend.folder.root / f"{row.pk}.raw"
        if not image.exists():
            continue  # told by the reconciliation
        with image.open("rb") as file:
            if os.fstat(file.fileno()).st_size != row.size:
                yield f"{row.pk} is not {row.size} bytes large"
            if hashlib.sha256(file.read(size)).hexdigest() != digest:
                yield f"{row.pk} ({row.name}) has other bytes than were uploaded"
            if list(data_extents(file.fileno(), -(-size // BLOCK) * BLOCK, row.size)):
                yield f"{row.pk} ({row.name}) has data where there was none"


def come_to_rest(*, hasten: bool) -> float:
    """Wait until no job is left, but not for ever; return the seconds that it took."""
    began = time.monotonic()
    if hasten:
        recovery.sweep()
    while Job.objects.unfinished().exists() and time.monotonic() - began < SECONDS_TO_REST:
        time.sleep(0.5)
    return time.monotonic() - began


def judge(hasten: bool, **known: Any) -> dict[str, Any]:
    return {"resting": come_to_rest(hasten=hasten), "breaches": list(breaches(**known))}


if __name__ == "__main__":
    json.dump(judge(**json.loads(sys.argv[1])), sys.stdout)
