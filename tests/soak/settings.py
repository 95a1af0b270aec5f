"""The service's own settings, with short times, so that leases and history end within the run."""

from cloudjobs import environment
from cloudjobs.settings import *  # noqa: F403
from cloudjobs.settings import DAY, MIB, image_folder
from cloudjobs.settings import STORAGE_HOSTS as USUAL_HOSTS

NAME = "tests.soak.settings"

JOB_LEASE_SECONDS = 5
JOB_RETENTION_DAYS = environment.number("KEPT_SECONDS", 60) / DAY
REQUESTS_PER_MINUTE = DELETES_PER_MINUTE = 0

SLOW = "slow"  # its clones are still at work when something happens to them
STORAGE_HOSTS = USUAL_HOSTS | {
    "slow-1": {
        "storage_type": SLOW,
        "options": {"root": image_folder("slow-1"), "bandwidth": 12 * MIB, "reflink": False},
    },
}
