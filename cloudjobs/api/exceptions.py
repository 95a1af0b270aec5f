"""The exceptions of actions and views that a client gets to read."""

from rest_framework import exceptions, status


class PointedError(exceptions.APIException):
    """An error whose type and field the API documents; subclasses name status and type."""

    status_code: int = status.HTTP_400_BAD_REQUEST
    error_type = "validation"

    def __init__(self, message: str, point: str | None = None) -> None:
        super().__init__(message)
        self.point = point

    def within(self, place: str) -> None:
        """Let the error point at a field that lies deeper, e.g. within `objects.1`."""
        self.point = f"{place}.{self.point}" if self.point else place


class Invalid(PointedError):
    """The request asks for something that cannot be: 400."""


class Refused(PointedError):
    """The object's state, or its owner's rights, do not allow this: 403."""

    status_code = status.HTTP_403_FORBIDDEN
    error_type = "permission"


class Missing(PointedError):
    """An object that the request names does not exist, for this user: 404."""

    status_code = status.HTTP_404_NOT_FOUND
    error_type = "notexist"


class Conflict(PointedError):
    """The request contradicts an earlier one: 409."""

    status_code = status.HTTP_409_CONFLICT
    error_type = "concurrency"


class NotSatisfiable(PointedError):
    """What is asked for lies outside of what there is to be had: 416."""

    status_code = status.HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE


class Busy(PointedError):
    """Two operations exclude each other; the same request may work later: 503."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    error_type = "concurrency"


class BackendUnavailable(PointedError):
    """Storage cannot do it now, for want of space or because it does not answer: 503."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    error_type = "backend"


class BodyTooLarge(exceptions.APIException):
    """The body is larger than a request may be: 413."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The request body is too large."
