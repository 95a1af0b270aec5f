"""The service's own settings with a hasher that costs nothing, as each test has its own user."""

from cloudjobs.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
