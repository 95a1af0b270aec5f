"""The status of what jobs work on."""

from typing import Any, ClassVar


class WorkedOn:
    """Mixed into a model whose `status` its actions and jobs move."""

    objects: ClassVar[Any]
    pk: Any
    status: Any

    def become(self, status: str, *expected: str, **values: Any) -> bool:
        """Move to a status if the row is in one of the expected ones; False when it is not."""
        row = type(self).objects.filter(pk=self.pk, status__in=expected)
        moved = bool(row.update(status=status, **values))
        if moved:
            for name, value in {"status": status, **values}.items():
                setattr(self, name, value)
        return moved
