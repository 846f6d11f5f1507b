"""What the statements in SQLAlchemy Core are made of; importing this module imports SQLAlchemy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from sqlalchemy import ClauseElement, ColumnElement, Dialect, MetaData, Table, bindparam, literal_column, select, update
from sqlalchemy.schema import CreateIndex, CreateTable

# With its parameters, in the order in which callers pass them.
Statement = tuple[ClauseElement, tuple[str, ...]]

ACTIVE: ColumnElement[Any] = literal_column("'active'")
DELETED: ColumnElement[Any] = literal_column("'deleted'")
RUNNING: ColumnElement[Any] = literal_column("'RUNNING'")
NULL: ColumnElement[Any] = literal_column("NULL")
ZERO: ColumnElement[Any] = literal_column("0")
ONE: ColumnElement[Any] = literal_column("1")


class Grammar(Protocol):
    """What databases write differently."""

    def compiler(self) -> Dialect:
        """Return SQLAlchemy's dialect, with positional parameters."""
        ...

    def insert_or_ignore(
        self, table: Table, names: tuple[str, ...], fixed: Mapping[str, ColumnElement[Any]] = ...
    ) -> ClauseElement:
        """Insert a row, *names* from parameters and *fixed* as given; do nothing when a unique key is taken."""
        ...

    def upsert(
        self, table: Table, fixed: Mapping[str, ColumnElement[Any]] = ..., *, rising: str = ...
    ) -> ClauseElement:
        """Insert all columns, from parameters unless *fixed*; overwrite those outside of a primary key that is taken.

        rising: a column; a row is overwritten only when that becomes greater.
        """
        ...


def ddl(metadata: MetaData, compiler: Dialect) -> tuple[str, ...]:
    """Return what creates all tables and indexes of *metadata*, compiled."""
    tables = metadata.sorted_tables
    elements: list[ClauseElement] = [CreateTable(table) for table in tables]
    indexes = [CreateIndex(index) for table in tables for index in sorted(table.indexes, key=lambda i: str(i.name))]
    return tuple(one_line(each, compiler) for each in [*elements, *indexes])


def one_line(element: ClauseElement, compiler: Dialect) -> str:
    """Return a statement's text."""
    return " ".join(str(element.compile(dialect=compiler)).split())


def names_of(table: Table, *, without: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the names of the columns, in order."""
    return tuple(column.name for column in table.columns if column.name not in without)


def is_given(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Compare a column with the parameter `of_` and its name."""
    return column == bindparam(f"of_{column.key}")


def update_by_id(
    table: Table, changed: tuple[str, ...], fixed: Mapping[str, ColumnElement[Any]] | None = None
) -> ClauseElement:
    """Update the row with the id `of_id`: *changed* from parameters and *fixed* as given."""
    values: dict[str, ColumnElement[Any]] = {name: bindparam(name) for name in changed}
    values.update(fixed or {})
    return update(table).values(values).where(is_given(table.c.id))


def texts_of(table: Table) -> ClauseElement:
    """Return keys and values of the rows of one owner, sorted by key."""
    owner = next(iter(table.primary_key.columns))
    return select(table.c.key, table.c.value).where(is_given(owner)).order_by(table.c.key)
