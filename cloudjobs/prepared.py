"""Statements that Django writes once, for the few that run with every job or every request.

Django compiles each query anew, which takes ten times as long as the database needs for the
answer. A prepared statement is compiled at its first run, with holes for what differs from run
to run; from then on the holes are filled.
"""

from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Expression, Field, Model, QuerySet, UUIDField
from django.db.models.sql import UpdateQuery
from django.db.models.sql.compiler import SQLCompiler

UUID_COLUMN = UUIDField()
Updated = tuple[QuerySet, dict[str, Any]]
"""What an UPDATE changes: these rows, to these values."""


class Hole(Expression):
    """A place for a value; one that is written as JSON needs its `column`."""

    def __init__(self, name: str, column: Field | None = None) -> None:
        super().__init__(output_field=column)
        self.name, self.column = name, column

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:
        """Return a placeholder, and as its parameter the hole itself."""
        return "%s", (self,)

    def fill(self, value: Any) -> Any:
        """Return the value as the database takes it."""
        column = self.column or (UUID_COLUMN if isinstance(value, UUID) else None)
        return column.get_db_prep_save(value, connection) if column else value


def prepared_update(describe: Callable[[Any], Updated]) -> Callable[..., int]:
    """Make a function that runs the UPDATE with a value for each hole, and returns how many rows
    it changed.

    `describe` is given the model's manager, and describes the UPDATE; once for each database.
    """

    @cache
    def compiled(model: type[Model], vendor: str) -> tuple[str, tuple[Any, ...]]:
        rows, values = describe(model._default_manager)
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values(values)
        return query.get_compiler(connection=connection).as_sql()

    def run(model: type[Model], **values: Any) -> int:
        sql, params = compiled(model, connection.vendor)
        with connection.cursor() as cursor:
            cursor.execute(sql, filled(params, values))
            return cursor.rowcount

    return run


def prepared_lock(describe: Callable[[Any], QuerySet]) -> Callable[..., None]:
    """Make a function that locks the rows of a query until the transaction ends.

    SQLite knows no such locks: its transaction holds the only write lock anyway.
    """

    @cache
    def compiled(model: type[Model]) -> tuple[str, tuple[Any, ...]]:
        return describe(model._default_manager).query.get_compiler(connection=connection).as_sql()

    def run(model: type[Model], **values: Any) -> None:
        if connection.features.has_select_for_update:
            sql, params = compiled(model)
            with connection.cursor() as cursor:
                cursor.execute(sql, filled(params, values))

    return run


def prepared_get(describe: Callable[[Any], QuerySet]) -> Callable[..., Any]:
    """Make a function that runs the query with a value for each hole, and returns the one object
    that it finds, or None. What the query defers is deferred.
    """

    @cache
    def compiled(model: type[Model], vendor: str) -> tuple[str, tuple[Any, ...], Any, list[str]]:
        compiler = describe(model._default_manager).query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        columns: list[Any] = [column for column, _, _ in compiler.select]
        converters = compiler.get_converters(columns)
        return sql, params, converters, [column.target.attname for column in columns]

    def run(model: type[Model], **values: Any) -> Any:
        sql, params, converters, names = compiled(model, connection.vendor)
        with connection.cursor() as cursor:
            cursor.execute(sql, filled(params, values))
            row = list(cursor.fetchone() or ())
        for position, (convert, column) in converters.items():
            for converter in convert if row else ():
                row[position] = converter(row[position], column, connection)
        return model.from_db(connection.alias, names, row) if row else None

    return run


def filled(params: tuple[Any, ...], values: dict[str, Any]) -> list[Any]:
    """Return the parameters with each hole's value in its place."""
    return [one.fill(values[one.name]) if isinstance(one, Hole) else one for one in params]
