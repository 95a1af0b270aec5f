"""The service's own settings, for tests that cannot wait for a lease or need a disk that is full.

`SMALL_DISK` is a folder that limits what fits into it.
"""

from cloudjobs.settings import *  # noqa: F403
from cloudjobs.settings import FILE_BACKEND, MIB, env, image_folder
from cloudjobs.settings import STORAGE_HOSTS as USUAL_HOSTS

NAME = "tests.worker.settings"

JOB_LEASE_SECONDS = env.int("LEASE_SECONDS", default=5)

STORAGE_HOSTS = USUAL_HOSTS | {
    "small-1": {
        "storage_type": "small",
        "backend": FILE_BACKEND,
        "max_size": 1024 * MIB,
        "options": {
            "root": env("SMALL_DISK", default=image_folder("small-1")),
            "bandwidth": 25 * MIB,
        },
    },
}
