"""The settings of the tests, without limits of requests, and with room for many drives."""

from tests.settings import *  # noqa: F403
from tests.settings import CLOUDJOBS_HOME, DATABASES, MIDDLEWARE, STORAGE_HOSTS

DATABASES["default"]["NAME"] = str(CLOUDJOBS_HOME / "fuzz.sqlite3")
REQUESTS_PER_MINUTE = DELETES_PER_MINUTE = FAILED_LOGINS = 0
for host in STORAGE_HOSTS.values():
    host["options"]["capacity"] = 2**50
    host["max_size"] = 2**40
# schemathesis asks for compressed answers, and reads those of a network alone.
MIDDLEWARE = [each for each in MIDDLEWARE if "GZip" not in each]
LOGGING_CONFIG = None

WAITING_REQUESTS = 0  # nothing would come of it but a long run
