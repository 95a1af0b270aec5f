"""The service's settings with the floors of the benchmarks among its addresses."""

from cloudjobs import environment
from cloudjobs.settings import *  # noqa: F403
from cloudjobs.settings import MIB, image_folder
from cloudjobs.settings import STORAGE_HOSTS as USUAL_HOSTS

ROOT_URLCONF = "benchmarks.bare"
# Pages are opened without collected static files.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Slow storage hosts for many clones at once; each is a storage type of its own.
STORAGE_HOSTS = USUAL_HOSTS | {
    f"shelf-{number}": {
        "storage_type": f"shelf-{number}",
        "options": {"root": image_folder(f"shelf-{number}"), "bandwidth": MIB, "reflink": False},
    }
    for number in range(environment.number("SHELVES", 0))
}
