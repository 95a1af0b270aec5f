"""Stopping the worker cluster, however the signal arrives.

django-q2's main process, told by SIGTERM or SIGINT to stop, waits for processes of its own. When
the signal goes to the whole process group, as a terminal's Ctrl-C and most process managers do it,
those processes are dead already and it waits for ever. Nor does it tell a busy worker to stop.

So each process that is forked here leaves the group, and dies with the one that forked it; and one
flag in shared memory tells the workers to give back what they are doing.
"""

import ctypes
import os
import signal
from multiprocessing.sharedctypes import RawValue

from django_q.cluster import Cluster

PR_SET_PDEATHSIG = 1  # prctl(2): the signal a process gets when its parent ends

_draining = RawValue(ctypes.c_bool)
_forking_pid = 0


class DrainingCluster(Cluster):
    """A cluster that tells its workers when it stops, and may be stopped while it starts."""

    def start(self) -> int:
        pid = int(super().start())
        if is_draining():
            self.stop()
        return pid

    def stop(self) -> bool:
        """Stop, or note that it has to: a signal may come before there is anything to stop."""
        _draining.value = True
        return bool(self.sentinel and super().stop())


def is_draining() -> bool:
    """Is this process's cluster stopping?"""
    return _draining.value


def detach_children() -> None:
    """Have every process forked from now on leave the group and die with its parent."""
    os.register_at_fork(before=_remember_parent, after_in_child=_detach)


def _remember_parent() -> None:
    global _forking_pid
    _forking_pid = os.getpid()


def _detach() -> None:
    os.setpgid(0, 0)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != _forking_pid:  # it ended before the line above
        os._exit(1)
