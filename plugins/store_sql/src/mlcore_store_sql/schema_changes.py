"""The tables of what has changed; importing this module imports SQLAlchemy.

Runs that change get the number that their experiment has now. Whoever is told of them moves that number on, so that
what changes later can be told from it; where nobody asks, a run that goes on changing is written down once.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, MetaData, PrimaryKeyConstraint, Table

from mlcore_store_sql.schema import EXPERIMENTS, RUNS

# What tracking got in version 4 of its schema.
CHANGES_METADATA = MetaData()

# The number of an experiment; 1 where there is no row.
CHANGE_NUMBERS = Table(
    "mlcore_change_numbers",
    CHANGES_METADATA,
    Column("experiment", ForeignKey(EXPERIMENTS.c.id, ondelete="CASCADE"), nullable=False),
    Column("number", BigInteger, nullable=False),
    PrimaryKeyConstraint("experiment"),
    sqlite_with_rowid=False,
)

# One row per run: the number that its experiment had at the last change; 0 for those that were there before the table.
CHANGES = Table(
    "mlcore_changes",
    CHANGES_METADATA,
    Column("run", ForeignKey(RUNS.c.id, ondelete="CASCADE"), nullable=False),
    Column("experiment", ForeignKey(EXPERIMENTS.c.id, ondelete="CASCADE"), nullable=False),
    Column("number", BigInteger, nullable=False),
    PrimaryKeyConstraint("run"),
    sqlite_with_rowid=False,
)
Index("mlcore_changes_by_number", CHANGES.c.experiment, CHANGES.c.number, CHANGES.c.run)
