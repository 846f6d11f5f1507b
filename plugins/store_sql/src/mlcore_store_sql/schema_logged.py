"""The tables of logged models; importing this module imports SQLAlchemy."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from mlcore_store_sql.schema import EXPERIMENTS, ID, RUNS

# What tracking got in version 2 of its schema.
LOGGED = MetaData()

LOGGED_MODELS = Table(
    "mlcore_logged_models",
    LOGGED,
    Column("id", ID, primary_key=True),
    Column("model_id", Text, nullable=False, unique=True),
    Column("experiment", ForeignKey(EXPERIMENTS.c.id, ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    # NULL when the experiment's location is NULL.
    Column("artifact_uri", Text),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("status_message", Text, nullable=False),
    Column("creator_id", Text, nullable=False),
    Column("model_type", Text, nullable=False),
    Column("source_run_id", Text, nullable=False),
    Column("lifecycle_stage", Text, nullable=False),
)
Index(
    "mlcore_logged_models_by_creation",
    LOGGED_MODELS.c.experiment,
    LOGGED_MODELS.c.lifecycle_stage,
    LOGGED_MODELS.c.creation_time.desc(),
    LOGGED_MODELS.c.model_id,
)

LOGGED_PARAMS = Table(
    "mlcore_logged_model_params",
    LOGGED,
    Column("model", ForeignKey(LOGGED_MODELS.c.id, ondelete="CASCADE"), nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    # The value as a number, for numeric filters; NULL when it is not one.
    Column("number", Double),
    PrimaryKeyConstraint("model", "key"),
    sqlite_with_rowid=False,
)

LOGGED_TAGS = Table(
    "mlcore_logged_model_tags",
    LOGGED,
    Column("model", ForeignKey(LOGGED_MODELS.c.id, ondelete="CASCADE"), nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("model", "key"),
    sqlite_with_rowid=False,
)

# The latest point of each curve; the curve itself belongs to the run.
LOGGED_METRICS = Table(
    "mlcore_logged_model_metrics",
    LOGGED,
    Column("model", ForeignKey(LOGGED_MODELS.c.id, ondelete="CASCADE"), nullable=False),
    Column("key", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("dataset_name", Text, nullable=False),
    Column("dataset_digest", Text, nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("value", Double, nullable=False),
    # As of the points of runs.
    Column("special", SmallInteger, nullable=False),
    PrimaryKeyConstraint("model", "key", "run_id", "dataset_name", "dataset_digest"),
    sqlite_with_rowid=False,
)

MODEL_INPUTS = Table(
    "mlcore_model_inputs",
    LOGGED,
    Column("id", ID, primary_key=True),
    Column("run", ForeignKey(RUNS.c.id, ondelete="CASCADE"), nullable=False),
    Column("model_id", Text, nullable=False),
    UniqueConstraint("run", "model_id"),
)

MODEL_OUTPUTS = Table(
    "mlcore_model_outputs",
    LOGGED,
    Column("id", ID, primary_key=True),
    Column("run", ForeignKey(RUNS.c.id, ondelete="CASCADE"), nullable=False),
    Column("model_id", Text, nullable=False),
    Column("step", BigInteger, nullable=False),
    UniqueConstraint("run", "model_id", "step"),
)
