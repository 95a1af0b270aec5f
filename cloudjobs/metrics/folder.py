"""Where the processes of one web server count together: a folder, with a file for each process.

It lies in memory. The files are mapped, and a process that writes to a mapped file on a full disk
is killed.
"""

import logging
import os
import shutil
import stat
from pathlib import Path

logger = logging.getLogger(__name__)

MEMORY = Path("/dev/shm")  # noqa: S108  the folder in it is checked before it is used
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def count_together() -> None:
    """Let this process count together with all others that its parent starts.

    Call it before anything imports prometheus_client, which decides then. Without such a folder
    each process counts for itself.
    """
    if VARIABLE in os.environ:
        return
    prefix = f"cloudjobs-{os.geteuid()}-"
    try:
        forget_the_dead(prefix)
        os.environ[VARIABLE] = str(own_folder(MEMORY / f"{prefix}{os.getppid()}"))
    except OSError as error:
        logger.warning("the processes of the web server count each for itself: %s", error)


def own_folder(path: Path) -> Path:
    """Make the folder, if a brother has not, and return it.

    Raises:
        PermissionError: somebody else has made something of that name.
    """
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise PermissionError(f"{path} is not a folder of our own")
    return path


def forget_the_dead(prefix: str) -> None:
    """Remove the folders of web servers that are not there any more."""
    for path in MEMORY.glob(f"{prefix}*"):
        if not Path("/proc", path.name.removeprefix(prefix)).exists():
            shutil.rmtree(path, ignore_errors=True)
