"""What can end a job's run; `OperationFailed` carries a sentence that its owner reads."""


class OperationFailed(Exception):
    """An expected failure: the message is shown to the owner of the job."""


class LeaseLost(Exception):
    """The job is no longer this worker's: it stops and touches nothing."""


class Draining(Exception):
    """The cluster stops: the worker gives the job back, and it goes on at the next start."""
