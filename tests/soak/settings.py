"""The service's own settings, with short times, so that leases and history end within the run."""

from cloudjobs.settings import *  # noqa: F403
from cloudjobs.settings import DAY, FILE_BACKEND, MIB, env, image_folder
from cloudjobs.settings import STORAGE_HOSTS as USUAL_HOSTS

NAME = "tests.soak.settings"

JOB_LEASE_SECONDS = 5
JOB_RETENTION_DAYS = env.float("KEPT_SECONDS", default=60) / DAY
REQUESTS_PER_MINUTE = DELETES_PER_MINUTE = 0

SLOW = "slow"  # its clones are still at work when something happens to them
STORAGE_HOSTS = USUAL_HOSTS | {
    "slow-1": {
        "storage_type": SLOW,
        "backend": FILE_BACKEND,
        "options": {"root": image_folder("slow-1"), "bandwidth": 12 * MIB, "reflink": False},
    },
}
