"""Statements of searches, compiled when they are asked for; importing this module imports SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Dialect, Select

from mlcore.entities import OrderBy
from mlcore.entities.filters import Filter
from mlcore_store_sql.dialects import SqliteGrammar
from mlcore_store_sql.filters import Target
from mlcore_store_sql.reading import Compiled

# Ids in one statement: far below what any database takes, and enough that the number of statements is small.
_CHUNK = 5000
_KEPT = 256


class Compiler:
    """Makes texts of statements for one database."""

    def __init__(self, grammar: SqliteGrammar) -> None:
        """Write as *grammar* has it."""
        self._compiler: Dialect = grammar.compiler()
        # By name, number of keys and number of ids.
        self._texts: dict[tuple[str, int, int], str] = {}

    def filtered(
        self, statement: Select[Any], target: Target, tree: Filter | None, order_by: tuple[OrderBy, ...] = ()
    ) -> Select[Any]:
        """Return *statement* with the condition that *tree* stands for, ordered."""
        if tree is not None:
            statement = statement.where(target.condition(tree))
        return target.ordered(statement, order_by)

    def of_many(
        self,
        name: str,
        statement: Select[Any],
        column: Any,
        ids: Sequence[int] | Sequence[str],
        keys: Sequence[str] = (),
    ) -> Iterator[Compiled]:
        """Return *statement* for the rows whose *column* is one of *ids*, in chunks.

        name: of the statement; its texts are kept, since compiling one takes as long as reading some hundred rows.
        keys: the statement's other parameters, which come before the ids.
        """
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            shape = (name, len(keys), len(chunk))
            text = self._texts.get(shape)
            if text is None:
                if len(self._texts) >= _KEPT:
                    self._texts.clear()
                text = self._texts[shape] = self.compiled(statement.where(column.in_(chunk))).text
            yield Compiled(text, (*keys, *chunk))

    def compiled(self, statement: Select[Any]) -> Compiled:
        """Return the text of *statement* with its parameters."""
        compiled = statement.compile(dialect=self._compiler, compile_kwargs={"render_postcompile": True})
        names: Sequence[str] = getattr(compiled, "positiontup", None) or ()
        values = compiled.params
        return Compiled(str(compiled), tuple(values[name] for name in names))
