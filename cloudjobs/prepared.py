"""Statements that Django writes once, for the few that run with every job or every request.

Django compiles each query anew, which takes ten times as long as the database needs for the
answer. A prepared statement is compiled at its first run, with holes for what differs from run
to run; from then on the holes are filled.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import (
    AutoField,
    BigAutoField,
    Expression,
    Field,
    Model,
    QuerySet,
    UUIDField,
)
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
    def compiled(model: type[Model], vendor: str) -> tuple[Selection, list[str]]:
        compiler = describe(model._default_manager).query.get_compiler(connection=connection)
        selection = Selection.of(compiler)
        return selection, [column.target.attname for column, _, _ in compiler.select or ()]

    def run(model: type[Model], **values: Any) -> Any:
        selection, names = compiled(model, connection.vendor)
        rows = selection.rows(values, at_most=1)
        return model.from_db(connection.alias, names, rows[0]) if rows else None

    return run


def prepared_rows(describe: Callable[[Any], QuerySet]) -> Callable[..., list[Any]]:
    """Make a function that runs a query of `values_list` with a value for each hole, and returns
    its rows.
    """

    @cache
    def compiled(model: type[Model], vendor: str) -> Selection:
        rows = describe(model._default_manager)
        return Selection.of(rows.query.get_compiler(connection=connection))

    def run(model: type[Model], **values: Any) -> list[Any]:
        return compiled(model, connection.vendor).rows(values)

    return run


@dataclass(frozen=True)
class Selection:
    """A compiled SELECT, and what turns the values of its columns into Python's."""

    sql: str
    params: tuple[Any, ...]
    converters: dict[int, Any]

    @classmethod
    def of(cls, compiler: SQLCompiler) -> "Selection":
        sql, params = with_constants(*compiler.as_sql())
        columns = [column for column, _, _ in compiler.select or ()]
        return cls(sql, params, compiler.get_converters(columns))

    def rows(self, values: dict[str, Any], at_most: int | None = None) -> list[Any]:
        """Return the rows that it finds with these values in its holes."""
        with connection.cursor() as cursor:
            cursor.execute(self.sql, filled(self.params, values))
            found = cursor.fetchmany(at_most) if at_most else cursor.fetchall()
        rows = [list(row) for row in found]
        for position, (convert, column) in self.converters.items():
            for converter in convert:
                for row in rows:
                    row[position] = converter(row[position], column, connection)
        return rows


def insert_rows(rows: Sequence[Model]) -> None:
    """Insert new rows of one model, whose keys are made by the database or already there.

    One statement, without the signals of `save`, as with `bulk_create`; the instances do not learn
    what keys the database makes.
    """
    if not rows:
        return
    start, place, columns = insertion(type(rows[0]))
    values = [
        column.get_db_prep_save(column.pre_save(row, add=True), connection)
        for row in rows
        for column in columns
    ]
    with connection.cursor() as cursor:
        cursor.execute(start + ", ".join([place] * len(rows)), values)
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


@cache
def insertion(model: type[Model]) -> tuple[str, str, list[Any]]:
    """Return the INSERT up to its values, the places for those of one row, and their columns."""
    columns: list[Any] = [
        column
        for column in model._meta.concrete_fields
        if not isinstance(column, AutoField | BigAutoField)
    ]
    quote = connection.ops.quote_name
    names = ", ".join(quote(column.column) for column in columns)
    place = f"({', '.join(['%s'] * len(columns))})"
    table = quote(model._meta.db_table)
    return f"INSERT INTO {table} ({names}) VALUES ", place, columns  # noqa: S608  no foreign text


def with_constants(sql: str, params: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """Return a statement with the words and numbers that never differ written into it, and the
    parameters that are left.

    A partial index is found by conditions that the database can read. Of parameters it learns with
    each run only, and plans anew.
    """
    written, *pieces = sql.split("%s")
    left = []
    for param, piece in zip(params, pieces, strict=True):
        if isinstance(param, str) and param.isidentifier():
            written += f"'{param!s}'{piece}"
        elif type(param) is int:
            written += f"{param}{piece}"
        else:
            written += f"%s{piece}"
            left.append(param)
    return written, tuple(left)


def filled(params: tuple[Any, ...], values: dict[str, Any]) -> list[Any]:
    """Return the parameters with each hole's value in its place."""
    return [one.fill(values[one.name]) if isinstance(one, Hole) else one for one in params]
