"""The tables of the registry; importing this module imports SQLAlchemy."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from mlcore_store_sql.schema import ID

REGISTRY = MetaData()

MODELS = Table(
    "mlcore_registered_models",
    REGISTRY,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    # The greatest number that a version ever had; numbers are not used again.
    Column("version_count", BigInteger, nullable=False),
)

MODEL_TAGS = Table(
    "mlcore_registered_model_tags",
    REGISTRY,
    Column("model", ForeignKey(MODELS.c.id, ondelete="CASCADE"), nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("model", "key"),
    sqlite_with_rowid=False,
)
Index("mlcore_registered_model_tags_by_value", MODEL_TAGS.c.key, MODEL_TAGS.c.value)

MODEL_VERSIONS = Table(
    "mlcore_model_versions",
    REGISTRY,
    Column("id", ID, primary_key=True),
    Column("model", ForeignKey(MODELS.c.id, ondelete="CASCADE"), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("run_id", Text),
    Column("run_link", Text),
    Column("stage", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("status_message", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    UniqueConstraint("model", "version"),
)
Index("mlcore_model_versions_by_stage", MODEL_VERSIONS.c.model, MODEL_VERSIONS.c.stage, MODEL_VERSIONS.c.version)
Index("mlcore_model_versions_by_run", MODEL_VERSIONS.c.run_id)

MODEL_VERSION_TAGS = Table(
    "mlcore_model_version_tags",
    REGISTRY,
    Column("model_version", ForeignKey(MODEL_VERSIONS.c.id, ondelete="CASCADE"), nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("model_version", "key"),
    sqlite_with_rowid=False,
)
Index("mlcore_model_version_tags_by_value", MODEL_VERSION_TAGS.c.key, MODEL_VERSION_TAGS.c.value)

MODEL_ALIASES = Table(
    "mlcore_model_aliases",
    REGISTRY,
    Column("model", ForeignKey(MODELS.c.id, ondelete="CASCADE"), nullable=False),
    Column("alias", Text, nullable=False),
    Column("model_version", ForeignKey(MODEL_VERSIONS.c.id, ondelete="CASCADE"), nullable=False, index=True),
    PrimaryKeyConstraint("model", "alias"),
    sqlite_with_rowid=False,
)
