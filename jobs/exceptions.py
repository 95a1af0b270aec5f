"""What can end a job's run; `OperationFailed` carries a sentence that its owner reads."""


class OperationFailed(Exception):
    """An expected failure: the owner of the job reads the message, and the hint what to do.

    `code` is the same for programs: one word that does not change.
    """

    def __init__(self, message: str, code: str = "failed", hint: str = "") -> None:
        super().__init__(message)
        self.code, self.hint = code, hint


class LeaseLost(Exception):
    """The job is no longer this worker's: it stops and touches nothing."""


class Draining(Exception):
    """The cluster stops: the worker gives the job back, and it goes on at the next start."""
