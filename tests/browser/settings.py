"""The service's own settings with slow storage: a small clone can be watched for some seconds."""

from cloudjobs.settings import *  # noqa: F403
from cloudjobs.settings import MIB, STORAGE_HOSTS

STORAGE_HOSTS["zadara-1"]["options"]["bandwidth"] = 10 * MIB
