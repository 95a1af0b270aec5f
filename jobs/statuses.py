"""The status of what jobs work on."""

from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar

from cloudjobs.prepared import Hole, prepared_update


class WorkedOn:
    """Mixed into a model whose `status` its actions and jobs move."""

    objects: ClassVar[Any]
    pk: Any
    status: Any

    def become(self, status: str, *expected: str, **values: Any) -> bool:
        """Move to a status if the row is in one of the expected ones; False when it is not."""
        model: Any = type(self)
        move = move_from(model, expected, ("status", *values))
        moved = bool(move(model, pk=self.pk, status=status, **values))
        if moved:
            for name, value in {"status": status, **values}.items():
                setattr(self, name, value)
        return moved


@cache
def move_from(model: Any, expected: tuple[str, ...], names: tuple[str, ...]) -> Callable[..., int]:
    """Return the UPDATE of these columns of a row that is in one of the expected statuses."""
    columns = {name: Hole(name, model._meta.get_field(name)) for name in names}
    return prepared_update(lambda rows: (rows.filter(pk=Hole("pk"), status__in=expected), columns))
