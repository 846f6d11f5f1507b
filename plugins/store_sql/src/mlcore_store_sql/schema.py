"""The tables, for every database that SQLAlchemy speaks to.

Runs and metric keys have integer ids, so that a metric point takes some twenty bytes. The points of one
curve lie next to each other: their table is the primary key. Importing this module imports SQLAlchemy.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

# What tracking had in version 1 of its schema.
METADATA = MetaData()

# On SQLite only `INTEGER PRIMARY KEY` is the row's own number.
ID = BigInteger().with_variant(Integer(), "sqlite")

# One row per component of the schema; made by whichever comes first.
VERSIONS = Table(
    "mlcore_versions",
    MetaData(),
    Column("component", Text, primary_key=True),
    Column("version", Integer, nullable=False),
)

EXPERIMENTS = Table(
    "mlcore_experiments",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    # NULL: below the directory beside the database, wherever that has been moved to.
    Column("artifact_location", Text),
    Column("lifecycle_stage", Text, nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    Column("deleted_time", BigInteger),
    # An id of a removed experiment must not come back: artifacts may still lie under it.
    sqlite_autoincrement=True,
)

EXPERIMENT_TAGS = Table(
    "mlcore_experiment_tags",
    METADATA,
    Column("experiment", ForeignKey(EXPERIMENTS.c.id, ondelete="CASCADE"), nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("experiment", "key"),
    sqlite_with_rowid=False,
)

RUNS = Table(
    "mlcore_runs",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("run_id", Text, nullable=False, unique=True),
    Column("experiment", ForeignKey(EXPERIMENTS.c.id, ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("start_time", BigInteger, nullable=False),
    Column("end_time", BigInteger),
    # NULL when the experiment's location is NULL.
    Column("artifact_uri", Text),
    Column("lifecycle_stage", Text, nullable=False),
    Column("deleted_time", BigInteger),
    # 1: deleted together with its experiment, and restored with it.
    Column("deleted_with_experiment", SmallInteger, nullable=False),
    sqlite_autoincrement=True,
)
Index(
    "mlcore_runs_by_start",
    RUNS.c.experiment,
    RUNS.c.lifecycle_stage,
    RUNS.c.start_time.desc(),
    RUNS.c.run_id,
)

METRIC_KEYS = Table(
    "mlcore_metric_keys",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
)

# No foreign keys on the points: they cost a look-up per point, and each batch has read its run and keys just before.
METRICS = Table(
    "mlcore_metrics",
    METADATA,
    Column("run", BigInteger, nullable=False),
    Column("key", BigInteger, nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("value", Double, nullable=False),
    # 0 finite, 1 NaN (value 0), 2 +inf and 3 -inf (value the greatest or smallest double).
    Column("special", SmallInteger, nullable=False),
    PrimaryKeyConstraint("run", "key", "step", "timestamp", "value", "special"),
    sqlite_with_rowid=False,
)

LATEST_METRICS = Table(
    "mlcore_latest_metrics",
    METADATA,
    Column("run", ForeignKey(RUNS.c.id, ondelete="CASCADE"), nullable=False),
    Column("key", ForeignKey(METRIC_KEYS.c.id), nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("value", Double, nullable=False),
    Column("special", SmallInteger, nullable=False),
    # Over the points that are not NaN; NULL when all are.
    Column("min", Double),
    Column("max", Double),
    Column("count", BigInteger, nullable=False),
    PrimaryKeyConstraint("run", "key"),
    sqlite_with_rowid=False,
)
Index("mlcore_latest_by_value", LATEST_METRICS.c.key, LATEST_METRICS.c.value, LATEST_METRICS.c.special)

PARAMS = Table(
    "mlcore_params",
    METADATA,
    Column("run", ForeignKey(RUNS.c.id, ondelete="CASCADE"), nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    # The value as a number, for numeric filters; NULL when it is not one.
    Column("number", Double),
    PrimaryKeyConstraint("run", "key"),
    sqlite_with_rowid=False,
)
Index("mlcore_params_by_value", PARAMS.c.key, PARAMS.c.value)
Index("mlcore_params_by_number", PARAMS.c.key, PARAMS.c.number)

TAGS = Table(
    "mlcore_tags",
    METADATA,
    Column("run", ForeignKey(RUNS.c.id, ondelete="CASCADE"), nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("run", "key"),
    sqlite_with_rowid=False,
)
Index("mlcore_tags_by_value", TAGS.c.key, TAGS.c.value)

DATASETS = Table(
    "mlcore_datasets",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("experiment", ForeignKey(EXPERIMENTS.c.id, ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("source_type", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("schema", Text),
    Column("profile", Text),
    UniqueConstraint("experiment", "name", "digest"),
)

INPUTS = Table(
    "mlcore_inputs",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("run", ForeignKey(RUNS.c.id, ondelete="CASCADE"), nullable=False),
    Column("dataset", ForeignKey(DATASETS.c.id, ondelete="CASCADE"), nullable=False, index=True),
    UniqueConstraint("run", "dataset"),
)

INPUT_TAGS = Table(
    "mlcore_input_tags",
    METADATA,
    Column("input", ForeignKey(INPUTS.c.id, ondelete="CASCADE"), nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("input", "key"),
    sqlite_with_rowid=False,
)
