"""`clone`: a sparse image of 8 GiB with 1 GiB of data, by our engine and by the usual tools.

`clone8`: one with 4 GiB of data.

Ours is a whole job: claimed, copied with progress written to the database, made durable, finished.
The others are followed by `sync FILE`, so that all of them end with the bytes on the disk.
"""

import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from django import db

from accounts.models import User
from benchmarks.environment import home
from benchmarks.measure import Result, Skipped, interleaved, medians, memory, quiet_disk, seconds
from benchmarks.sources import GIB, HOST, MIB, make_source
from drives.cloning import clone_drive
from drives.models import Drive
from drives.storage import get_host
from jobs import runner
from jobs.models import Job

SIZE, EXTENTS = 8 * GIB, 16
NO_TOOL = ", no qemu-img"
ROOM = 12 * GIB  # bytes free that the large one asks for: source, copy, and some to breathe


def run() -> Result:
    return clones("clone", extent=64 * MIB, most=1.1)


def run_large() -> Result:
    if shutil.disk_usage(home()).free < ROOM:
        raise Skipped(f"it needs {ROOM // GIB} GiB of free disk")
    return clones("clone8", extent=256 * MIB, most=1.0)


def clones(name: str, extent: int, most: float) -> Result:
    """Measure it; the source's data lie in so many extents, and are gone in the end."""
    owner = User.objects.create_user(f"{name}@example.com")
    source = make_source(owner, SIZE, EXTENTS, extent)
    image = Path(get_host(HOST).backend.folder.root) / f"{source.pk}.raw"
    peaks: list[int] = []
    contestants: dict[str, Callable[[], float]] = {
        "ours": partial(clone_as_job, source, peaks),
        "cp": partial(copy_by, ["cp", "--sparse=always"], image),
    }
    if shutil.which("qemu-img"):
        convert = ["qemu-img", "convert", "-f", "raw", "-O", "raw", "-W", "-m", "8"]
        contestants["qemu-img"] = partial(copy_by, convert, image)
    figures = interleaved(contestants, before_each=quiet_disk)
    image.unlink()
    typical = medians(figures)
    best = min((name for name in typical if name != "ours"), key=lambda name: typical[name])
    ratio = typical["ours"] / typical[best]
    peak = max(peaks) / MIB
    return Result(
        name=name,
        ours=f"{typical['ours']:.2f} s, +{peak:.0f} MiB",
        floor=f"{best} {typical[best]:.2f} s{NO_TOOL if 'qemu-img' not in typical else ''}",
        ratio=ratio,
        target=f"≤ {most} × the best, < 64 MiB more",
        holds=ratio <= most and peak < 64,
        raw={"seconds": figures, "peak_bytes_above_idle": peaks},
    )


def clone_as_job(source: Drive, peaks: list[int]) -> float:
    """Return the seconds that a clone's job takes in a process like a worker's."""
    clone = clone_drive(source.pk, source.owner, {"storage_type": "dssd"})
    job = Job.objects.claimable().get()
    db.connections.close_all()
    receiver, sender = get_context("fork").Pipe(duplex=False)
    worker = get_context("fork").Process(target=work, args=(sender,))
    worker.start()
    took, peak = receiver.recv()
    worker.join()
    peaks.append(peak)
    job.refresh_from_db()
    assert job.state == Job.State.SUCCESS, job.error
    get_host(clone.storage_host).backend.delete(clone.pk)
    return float(took)


def work(sender: Connection) -> None:
    """Run what waits and send (seconds, bytes of memory above the idle process at the peak)."""
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far, see proc(5)
    idle = memory("VmRSS")
    took = seconds(runner.run_next)
    sender.send((took, memory("VmHWM") - idle))


def copy_by(command: list[str], image: Path) -> float:
    """Return the seconds that a tool and the sync of its result take."""
    target = image.with_name("copy.bench")

    def copy() -> None:
        subprocess.run([*command, str(image), str(target)], check=True)
        subprocess.run(["sync", str(target)], check=True)

    took = seconds(copy)
    target.unlink()
    return took
