"""The tables of what journals have delivered; importing this module imports SQLAlchemy."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, MetaData, PrimaryKeyConstraint, Table, Text

from mlcore_store_sql.schema import RUNS

# What tracking got in version 3 of its schema.
DELIVERY = MetaData()

DELIVERIES = Table(
    "mlcore_deliveries",
    DELIVERY,
    Column("run", ForeignKey(RUNS.c.id, ondelete="CASCADE"), nullable=False),
    Column("writer", Text, nullable=False),
    # Of the last entry that was taken.
    Column("sequence", BigInteger, nullable=False),
    PrimaryKeyConstraint("run", "writer"),
    sqlite_with_rowid=False,
)

# Entries that were refused: whoever did not hear of it asks again.
REFUSALS = Table(
    "mlcore_refusals",
    DELIVERY,
    Column("run", ForeignKey(RUNS.c.id, ondelete="CASCADE"), nullable=False),
    Column("writer", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("error", Text, nullable=False),
    Column("message", Text, nullable=False),
    PrimaryKeyConstraint("run", "writer", "sequence"),
    sqlite_with_rowid=False,
)
