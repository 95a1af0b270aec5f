"""How many bytes the workers of a cluster have copied, counted in memory that they share.

Rows of jobs are purged, and workers replaced; this only grows while the cluster runs. The main
process writes it with each heartbeat, so that counting costs the database nothing. A worker adds
in a place of its own: no lock is needed, which a worker that is killed could keep.
"""

import ctypes
import os
from multiprocessing.sharedctypes import RawArray

PLACES = 32_768  # the usual number of process ids; two workers meet in none

_copied = RawArray(ctypes.c_uint64, PLACES)


def count_copied(count: int) -> None:
    """Add to what this process has copied."""
    _copied[os.getpid() % PLACES] += count


def bytes_copied() -> int:
    """Return what the processes that were forked from this one have copied, and itself."""
    return sum(_copied)
