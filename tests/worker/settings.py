"""The service's own settings, for tests that cannot wait for a lease or need a disk that is full.

`SMALL_DISK` is a folder that limits what fits into it.
"""

from cloudjobs import environment
from cloudjobs.settings import *  # noqa: F403
from cloudjobs.settings import MIB, image_folder
from cloudjobs.settings import STORAGE_HOSTS as USUAL_HOSTS

NAME = "tests.worker.settings"

JOB_LEASE_SECONDS = environment.number("LEASE_SECONDS", 5)

STORAGE_HOSTS = USUAL_HOSTS | {
    "small-1": {
        "storage_type": "small",
        "max_size": 1024 * MIB,
        "options": {
            "root": environment.text("SMALL_DISK", str(image_folder("small-1"))),
            "bandwidth": 25 * MIB,
        },
    },
}
