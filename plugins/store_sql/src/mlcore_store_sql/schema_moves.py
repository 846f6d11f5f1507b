"""The tables of the registry's history and of transition requests; importing this module imports SQLAlchemy."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, MetaData, Table, Text, UniqueConstraint

from mlcore_store_sql.schema import ID
from mlcore_store_sql.schema_registry import MODELS

# What the registry got in version 2 of its schema.
HISTORY = MetaData()

# A registered model through all its names; it stays when the model is deleted.
LINES = Table(
    "mlcore_model_lines",
    HISTORY,
    Column("id", ID, primary_key=True),
    Column("model", ForeignKey(MODELS.c.id, ondelete="SET NULL"), unique=True),
    Column("name", Text, nullable=False, index=True),
    # Number and time of the last move.
    Column("moved", BigInteger, nullable=False),
    Column("moved_at", BigInteger, nullable=False),
)

MOVES = Table(
    "mlcore_model_moves",
    HISTORY,
    Column("id", ID, primary_key=True),
    Column("line", ForeignKey(LINES.c.id), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("moved_from", Text, nullable=False),
    Column("moved_to", Text, nullable=False),
    Column("moved_at", BigInteger, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("comment", Text, nullable=False),
    UniqueConstraint("line", "number"),
)
# The last move of an alias or version before a time is the end of a range of this index.
Index("mlcore_model_moves_by_subject", *(MOVES.c[each] for each in ("line", "kind", "subject", "moved_at", "number")))

REQUESTS = Table(
    "mlcore_transition_requests",
    HISTORY,
    Column("id", ID, primary_key=True),
    Column("request_id", Text, nullable=False, unique=True),
    Column("line", ForeignKey(LINES.c.id), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("stage", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("archive_existing", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("decided_at", BigInteger),
    Column("decided_by", Text, nullable=False),
    Column("decision", Text, nullable=False),
)
Index("mlcore_transition_requests_by_line", REQUESTS.c.line, REQUESTS.c.status)
Index("mlcore_transition_requests_by_status", REQUESTS.c.status)
