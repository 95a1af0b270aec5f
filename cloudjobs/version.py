"""Which code runs: whoever upgrades several machines looks whether all of them have the same."""

import hashlib
from functools import cache

from django.conf import settings

VERSION = "0.1.0"
PACKAGES = (
    "accounts",
    "cloudjobs",
    "drives",
    "events",
    "jobs",
    "keypairs",
    "servers",
    "tags",
)
DIGITS = 7


@cache
def running_version() -> str:
    """Return `0.1.0 (3f9a1c2)`: the release, and a digest of the Python files that it runs.

    Read once, from the disk: call it when the process begins.
    """
    digest = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted((settings.BASE_DIR / package).rglob("*.py")):
            digest.update(f"{path.relative_to(settings.BASE_DIR)}\n".encode())
            digest.update(path.read_bytes())
    return f"{VERSION} ({digest.hexdigest()[:DIGITS]})"
