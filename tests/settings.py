"""The service's own settings, with state in a folder that goes when the tests end."""

import os
import tempfile

# The first process makes the folder, and removes it in the end; those that it starts inherit it.
if "CLOUDJOBS_HOME" not in os.environ:
    FOLDER = tempfile.TemporaryDirectory(prefix="cloudjobs-tests-")
    os.environ["CLOUDJOBS_HOME"] = FOLDER.name
os.environ.setdefault("SECRET_KEY", "only for tests")

from cloudjobs.settings import *  # noqa: F403
from cloudjobs.settings import CACHES, CLOUDJOBS_HOME, DATABASES, INSTALLED_APPS, Q_CLUSTER

INSTALLED_APPS = ["tests", *INSTALLED_APPS]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# In each process, as the users of one test count nothing for those of another.
CACHES["counters"] = {**CACHES["default"], "LOCATION": "counters"}
# In Redis, too: it rolls nothing back, so tests at the same time would read each other's messages.
if "redis" in Q_CLUSTER:
    Q_CLUSTER["name"] += os.environ.get("PYTEST_XDIST_WORKER", "")
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, as in production: a database in memory has no journal and other locks.
    DATABASES["default"]["TEST"] = {"NAME": str(CLOUDJOBS_HOME / "test.sqlite3")}
# whitenoise warns of a folder that is not there, and warnings are errors.
(CLOUDJOBS_HOME / "static").mkdir(exist_ok=True)
