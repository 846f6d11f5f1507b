"""The statements of what journals have delivered, in SQLAlchemy Core; importing this module imports SQLAlchemy."""

from __future__ import annotations

from sqlalchemy import select

from mlcore_store_sql.schema_delivery import DELIVERIES, REFUSALS
from mlcore_store_sql.statement_parts import Grammar, Statement, is_given, names_of


def delivery_statements(grammar: Grammar) -> dict[str, Statement]:
    """Return all of them, by name."""
    taken, refused = DELIVERIES, REFUSALS
    position = select(taken.c.sequence).where(is_given(taken.c.run), is_given(taken.c.writer))
    refusals = select(refused.c.sequence, refused.c.error, refused.c.message)
    return {
        "delivered": (position, ("of_run", "of_writer")),
        "set_delivered": (grammar.upsert(taken), names_of(taken)),
        "refusals": (
            refusals.where(is_given(refused.c.run), is_given(refused.c.writer)).order_by(refused.c.sequence),
            ("of_run", "of_writer"),
        ),
        "insert_refusal": (grammar.insert_or_ignore(refused, names_of(refused)), names_of(refused)),
    }
