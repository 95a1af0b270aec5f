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

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    AutoField,
    BigAutoField,
    BooleanField,
    CharField,
    Expression,
    Field,
    ForeignKey,
    IntegerField,
    Model,
    QuerySet,
    TextField,
    UUIDField,
)
from django.db.models.sql import UpdateQuery
from django.db.models.sql.compiler import SQLCompiler

UUID_COLUMN = UUIDField()
PLAIN = {CharField: str, TextField: str, BooleanField: bool}  # what databases take as it is
Updated = tuple[QuerySet, dict[str, Any]]
"""What an UPDATE changes: these rows, to these values."""


def database() -> BaseDatabaseWrapper:
    """Return the connection itself; Django's `connection` looks it up for whatever it is asked."""
    return connections[DEFAULT_DB_ALIAS]


class Hole(Expression):
    """A place for a value; one that is written as JSON needs its `column`."""

    def __init__(self, name: str, column: Field | None = None) -> None:
        super().__init__(output_field=column)
        self.name, self.column = name, column

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:
        """Return a placeholder, and as its parameter the hole itself."""
        return "%s", (self,)

    def fill(self, value: Any, here: BaseDatabaseWrapper) -> Any:
        """Return the value as the database takes it."""
        column = self.column or (UUID_COLUMN if isinstance(value, UUID) else None)
        return column.get_db_prep_save(value, here) if column else value


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
        return query.get_compiler(connection=database()).as_sql()

    def run(model: type[Model], **values: Any) -> int:
        here = database()
        sql, params = compiled(model, here.vendor)
        with here.cursor() as cursor:
            cursor.execute(sql, filled(params, values, here))
            return cursor.rowcount

    return run


def prepared_lock(describe: Callable[[Any], QuerySet]) -> Callable[..., None]:
    """Make a function that locks the rows of a query until the transaction ends.

    SQLite knows no such locks: its transaction holds the only write lock anyway.
    """

    @cache
    def compiled(model: type[Model]) -> tuple[str, tuple[Any, ...]]:
        return describe(model._default_manager).query.get_compiler(connection=database()).as_sql()

    def run(model: type[Model], **values: Any) -> None:
        here = database()
        if here.features.has_select_for_update:
            sql, params = compiled(model)
            with here.cursor() as cursor:
                cursor.execute(sql, filled(params, values, here))

    return run


def prepared_get(describe: Callable[[Any], QuerySet]) -> Callable[..., Any]:
    """Make a function that runs the query with a value for each hole, and returns the one object
    that it finds, or None. What the query defers is deferred.
    """

    @cache
    def compiled(model: type[Model], vendor: str) -> tuple[Selection, list[str]]:
        compiler = describe(model._default_manager).query.get_compiler(connection=database())
        selection = Selection.of(compiler)
        return selection, [column.target.attname for column, _, _ in compiler.select or ()]

    def run(model: type[Model], **values: Any) -> Any:
        here = database()
        selection, names = compiled(model, here.vendor)
        rows = selection.rows(values, here, at_most=1)
        return model.from_db(DEFAULT_DB_ALIAS, names, rows[0]) if rows else None

    return run


def prepared_rows(describe: Callable[[Any], QuerySet]) -> Callable[..., list[Any]]:
    """Make a function that runs a query of `values_list` with a value for each hole, and returns
    its rows.
    """

    @cache
    def compiled(model: type[Model], vendor: str) -> Selection:
        rows = describe(model._default_manager)
        return Selection.of(rows.query.get_compiler(connection=database()))

    def run(model: type[Model], **values: Any) -> list[Any]:
        here = database()
        return compiled(model, here.vendor).rows(values, here)

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

    def rows(
        self, values: dict[str, Any], here: BaseDatabaseWrapper, at_most: int | None = None
    ) -> list[Any]:
        """Return the rows that it finds with these values in its holes."""
        with here.cursor() as cursor:
            cursor.execute(self.sql, filled(self.params, values, here))
            found = cursor.fetchmany(at_most) if at_most else cursor.fetchall()
        rows = [list(row) for row in found]
        for position, (convert, column) in self.converters.items():
            for converter in convert:
                for row in rows:
                    row[position] = converter(row[position], column, here)
        return rows


def insert_rows(rows: Sequence[Model]) -> None:
    """Insert new rows of one model, whose keys are made by the database or already there.

    One statement, without the signals of `save`, as with `bulk_create`; the instances do not learn
    what keys the database makes.
    """
    if not rows:
        return
    start, place, columns = insertion(type(rows[0]))
    here = database()
    values = []
    for row in rows:
        for column, written_as, plain in columns:
            value = column.pre_save(row, add=True)
            is_plain = value is None or type(value) is plain
            values.append(value if is_plain else written_as.get_db_prep_save(value, here))
    with here.cursor() as cursor:
        cursor.execute(start + ", ".join([place] * len(rows)), values)
    for row in rows:
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


@cache
def insertion(model: type[Model]) -> tuple[str, str, list[tuple[Any, Any, type | None]]]:
    """Return the INSERT up to its values, the places for those of one row, and their columns, each
    with the one that it is written as, and with the type of values that need no change.
    """
    columns: list[Any] = [
        column
        for column in model._meta.concrete_fields
        if not isinstance(column, AutoField | BigAutoField)
    ]
    quote = database().ops.quote_name
    names = ", ".join(quote(column.column) for column in columns)
    place = f"({', '.join(['%s'] * len(columns))})"
    start = f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES "  # noqa: S608  no foreign text
    return start, place, [(column, key_of(column), plain_type(column)) for column in columns]


def key_of(column: Any) -> Any:
    """Return the key that a foreign key refers to, or the column itself."""
    return key_of(column.target_field) if isinstance(column, ForeignKey) else column


def plain_type(column: Any) -> type | None:
    """Return the type of values that the database takes as they are, if there is one.

    The driver of PostgreSQL is told how large an integer may be.
    """
    if isinstance(column, IntegerField):
        return int if database().vendor == "sqlite" else None
    return PLAIN.get(type(column))


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


def filled(params: tuple[Any, ...], values: dict[str, Any], here: BaseDatabaseWrapper) -> list[Any]:
    """Return the parameters with each hole's value in its place."""
    return [one.fill(values[one.name], here) if isinstance(one, Hole) else one for one in params]
