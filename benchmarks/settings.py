"""The service's settings with the floors of the benchmarks among its addresses."""

from cloudjobs.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.bare"
# Pages are opened without collected static files.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
