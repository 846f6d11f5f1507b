"""The statements behind `texts.py`, in SQLAlchemy Core; importing this module imports SQLAlchemy.

Each stands with its parameters in the order in which callers pass them. Run as a program, it writes
`texts_sqlite.py`.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import ClauseElement, Dialect, bindparam, case, delete, insert, select, update
from sqlalchemy.schema import CreateTable

from mlcore_store_sql import schema
from mlcore_store_sql.schema import (
    DATASETS,
    EXPERIMENT_TAGS,
    EXPERIMENTS,
    INPUT_TAGS,
    INPUTS,
    LATEST_METRICS,
    METRIC_KEYS,
    METRICS,
    PARAMS,
    RUNS,
    TAGS,
    VERSIONS,
)
from mlcore_store_sql.schema_changes import CHANGES_METADATA
from mlcore_store_sql.schema_delivery import DELIVERY
from mlcore_store_sql.schema_logged import LOGGED
from mlcore_store_sql.schema_moves import HISTORY
from mlcore_store_sql.schema_registry import REGISTRY
from mlcore_store_sql.statement_parts import (
    ACTIVE,
    DELETED,
    NULL,
    ONE,
    RUNNING,
    ZERO,
    Grammar,
    Statement,
    ddl,
    is_given,
    names_of,
    one_line,
    texts_of,
    update_by_id,
)
from mlcore_store_sql.statements_buckets import bucket_statements
from mlcore_store_sql.statements_changes import change_statements
from mlcore_store_sql.statements_delivery import delivery_statements
from mlcore_store_sql.statements_logged import logged_model_statements
from mlcore_store_sql.statements_moves import move_statements
from mlcore_store_sql.statements_registry import registry_statements
from mlcore_store_sql.statements_series import series_statements
from mlcore_store_sql.texts import Texts


def compile_texts(grammar: Grammar) -> Texts:
    """Compile all statements for one database."""
    compiler = grammar.compiler()
    texts = {name: _compiled(name, statement, compiler) for name, statement in _statements(grammar).items()}
    return Texts(
        ddl=ddl(schema.METADATA, compiler),
        ddl_logged_models=ddl(LOGGED, compiler),
        ddl_delivery=ddl(DELIVERY, compiler),
        ddl_changes=ddl(CHANGES_METADATA, compiler),
        ddl_registry=ddl(REGISTRY, compiler),
        ddl_history=ddl(HISTORY, compiler),
        **texts,
    )


def parameter_names(grammar: Grammar) -> dict[str, tuple[str, ...]]:
    """Return the parameters of each statement, in order."""
    return {name: names for name, (_, names) in _statements(grammar).items()}


def _statements(grammar: Grammar) -> dict[str, Statement]:
    return {
        **_of_versions(grammar),
        **_of_experiments(grammar),
        **_of_runs(),
        **_of_contents(),
        **_of_recording(grammar),
        **_of_inputs(grammar),
        **series_statements(),
        **bucket_statements(),
        **logged_model_statements(grammar),
        **delivery_statements(grammar),
        **change_statements(grammar),
        **registry_statements(grammar),
        **move_statements(grammar),
    }


def _compiled(name: str, statement: Statement, compiler: Dialect) -> str:
    element, names = statement
    order = tuple(getattr(element.compile(dialect=compiler), "positiontup", None) or ())
    if order != names:
        raise AssertionError(f"statement {name!r} takes {order}, but is declared to take {names}")
    return one_line(element, compiler)


EXPERIMENT_COLUMNS = (
    EXPERIMENTS.c.id,
    EXPERIMENTS.c.name,
    EXPERIMENTS.c.artifact_location,
    EXPERIMENTS.c.lifecycle_stage,
    EXPERIMENTS.c.creation_time,
    EXPERIMENTS.c.last_update_time,
)

RUN_COLUMNS = (
    RUNS.c.id,
    RUNS.c.run_id,
    RUNS.c.experiment,
    RUNS.c.name,
    RUNS.c.user_id,
    RUNS.c.status,
    RUNS.c.start_time,
    RUNS.c.end_time,
    RUNS.c.artifact_uri,
    RUNS.c.lifecycle_stage,
)

LATEST_COLUMNS = (
    LATEST_METRICS.c.run,
    METRIC_KEYS.c.key,
    LATEST_METRICS.c.step,
    LATEST_METRICS.c.timestamp,
    LATEST_METRICS.c.value,
    LATEST_METRICS.c.special,
    LATEST_METRICS.c.min,
    LATEST_METRICS.c.max,
    LATEST_METRICS.c.count,
)
LATEST_JOIN = LATEST_METRICS.join(METRIC_KEYS)

INPUT_COLUMNS = (
    INPUTS.c.run,
    INPUTS.c.id,
    DATASETS.c.name,
    DATASETS.c.digest,
    DATASETS.c.source_type,
    DATASETS.c.source,
    DATASETS.c.schema,
    DATASETS.c.profile,
    INPUT_TAGS.c.key,
    INPUT_TAGS.c.value,
)
INPUT_JOIN = INPUTS.join(DATASETS).outerjoin(INPUT_TAGS)
INPUT_ORDER = (INPUTS.c.id, INPUT_TAGS.c.key)


def _of_versions(grammar: Grammar) -> dict[str, Statement]:
    return {
        "create_versions": (CreateTable(VERSIONS, if_not_exists=True), ()),
        "version": (select(VERSIONS.c.version).where(is_given(VERSIONS.c.component)), ("of_component",)),
        "set_version": (grammar.upsert(VERSIONS), ("component", "version")),
    }


def _of_experiments(grammar: Grammar) -> dict[str, Statement]:
    experiment = select(*EXPERIMENT_COLUMNS)
    changed = ("name", "lifecycle_stage", "last_update_time", "deleted_time")
    tags = EXPERIMENT_TAGS
    of_tag = (is_given(tags.c.experiment), is_given(tags.c.key))
    tags_of = select(tags.c.key, tags.c.value).where(is_given(tags.c.experiment)).order_by(tags.c.key)
    new = ("name", "artifact_location", "creation_time", "last_update_time")
    insert_new = grammar.insert_or_ignore(EXPERIMENTS, new, {"lifecycle_stage": ACTIVE})
    whole = ("id", "name", "artifact_location", "lifecycle_stage", "creation_time", "last_update_time", "deleted_time")
    insert_default = grammar.insert_or_ignore(EXPERIMENTS, new, {"id": ZERO, "lifecycle_stage": ACTIVE})
    return {
        "insert_experiment": (insert_new, new),
        "adopt_experiment": (grammar.insert_or_ignore(EXPERIMENTS, whole), whole),
        "insert_default_experiment": (insert_default, new),
        "experiment_by_id": (experiment.where(is_given(EXPERIMENTS.c.id)), ("of_id",)),
        "experiment_by_name": (experiment.where(is_given(EXPERIMENTS.c.name)), ("of_name",)),
        "experiment_tags": (tags_of, ("of_experiment",)),
        "set_experiment_location": (update_by_id(EXPERIMENTS, ("artifact_location",)), ("artifact_location", "of_id")),
        "update_experiment": (update_by_id(EXPERIMENTS, changed), (*changed, "of_id")),
        "set_experiment_tag": (grammar.upsert(tags), names_of(tags)),
        "delete_experiment_tag": (delete(tags).where(*of_tag), ("of_experiment", "of_key")),
        "delete_runs_of_experiment": (_delete_runs(), ("deleted_time", "of_experiment")),
        "restore_runs_of_experiment": (_restore_runs(), ("of_experiment",)),
    }


def _delete_runs() -> ClauseElement:
    changed = {
        "lifecycle_stage": DELETED,
        "deleted_time": bindparam("deleted_time"),
        "deleted_with_experiment": ONE,
    }
    return update(RUNS).values(changed).where(is_given(RUNS.c.experiment), RUNS.c.lifecycle_stage == ACTIVE)


def _restore_runs() -> ClauseElement:
    changed = {"lifecycle_stage": ACTIVE, "deleted_time": NULL, "deleted_with_experiment": ZERO}
    return update(RUNS).values(changed).where(is_given(RUNS.c.experiment), RUNS.c.deleted_with_experiment == ONE)


def _of_runs() -> dict[str, Statement]:
    new = ("run_id", "experiment", "name", "user_id", "start_time", "artifact_uri")
    fixed = {"status": RUNNING, "lifecycle_stage": ACTIVE, "deleted_with_experiment": ZERO}
    insert_run = insert(RUNS).values({name: bindparam(name) for name in new} | fixed)
    changed = ("name", "status", "end_time", "lifecycle_stage", "deleted_time")
    update_run = update_by_id(RUNS, changed, {"deleted_with_experiment": ZERO})
    for_write = select(RUNS.c.id, RUNS.c.lifecycle_stage, RUNS.c.experiment)
    return {
        "insert_run": (insert_run, new),
        "run": (select(*RUN_COLUMNS).where(is_given(RUNS.c.run_id)), ("of_run_id",)),
        "run_for_write": (for_write.where(is_given(RUNS.c.run_id)), ("of_run_id",)),
        "update_run": (update_run, (*changed, "of_id")),
        "rename_run": (update_by_id(RUNS, ("name",)), ("name", "of_id")),
    }


def _of_contents() -> dict[str, Statement]:
    metrics = select(*LATEST_COLUMNS).select_from(LATEST_JOIN).order_by(METRIC_KEYS.c.key)
    inputs = select(*INPUT_COLUMNS).select_from(INPUT_JOIN).order_by(*INPUT_ORDER)
    return {
        "metrics_of_run": (metrics.where(is_given(LATEST_METRICS.c.run)), ("of_run",)),
        "params_of_run": (texts_of(PARAMS), ("of_run",)),
        "tags_of_run": (texts_of(TAGS), ("of_run",)),
        "inputs_of_run": (inputs.where(is_given(INPUTS.c.run)), ("of_run",)),
        "history": (_history(), ("of_run", "of_key", "most", "skip")),
        "has_special": (_has_special(), ("of_run", "of_key", "of_special")),
    }


_POINTS = METRICS.join(METRIC_KEYS, METRICS.c.key == METRIC_KEYS.c.id)


def _has_special() -> ClauseElement:
    of_run = (is_given(METRICS.c.run), is_given(METRIC_KEYS.c.key), is_given(METRICS.c.special))
    return select(ONE).select_from(_POINTS).where(*of_run)


def _history() -> ClauseElement:
    # NaN is the smallest value, as in `curves.py`.
    order = (METRICS.c.timestamp, METRICS.c.step, case((METRICS.c.special == ONE, ZERO), else_=ONE), METRICS.c.value)
    return (
        select(METRICS.c.step, METRICS.c.timestamp, METRICS.c.value, METRICS.c.special)
        .select_from(_POINTS)
        .where(is_given(METRICS.c.run), is_given(METRIC_KEYS.c.key))
        .order_by(*order)
        .limit(bindparam("most"))
        .offset(bindparam("skip"))
    )


def _of_recording(grammar: Grammar) -> dict[str, Statement]:
    latest = LATEST_METRICS
    point = select(
        latest.c.step, latest.c.timestamp, latest.c.value, latest.c.special, latest.c.min, latest.c.max, latest.c.count
    )
    key = select(METRIC_KEYS.c.id).where(is_given(METRIC_KEYS.c.key))
    of_tag = (is_given(TAGS.c.run), is_given(TAGS.c.key))
    return {
        "insert_metric_key": (grammar.insert_or_ignore(METRIC_KEYS, ("key",)), ("key",)),
        "metric_key": (key, ("of_key",)),
        "latest_metric": (point.where(is_given(latest.c.run), is_given(latest.c.key)), ("of_run", "of_key")),
        "set_latest_metric": (grammar.upsert(latest), names_of(latest)),
        "insert_metric": (grammar.insert_or_ignore(METRICS, names_of(METRICS)), names_of(METRICS)),
        "insert_param": (grammar.insert_or_ignore(PARAMS, names_of(PARAMS)), names_of(PARAMS)),
        "set_tag": (grammar.upsert(TAGS), names_of(TAGS)),
        "delete_tag": (delete(TAGS).where(*of_tag), ("of_run", "of_key")),
    }


def _of_inputs(grammar: Grammar) -> dict[str, Statement]:
    data = names_of(DATASETS, without=("id",))
    unique = ("experiment", "name", "digest")
    dataset = select(DATASETS.c.id).where(*(is_given(DATASETS.c[name]) for name in unique))
    used = names_of(INPUTS, without=("id",))
    used_input = select(INPUTS.c.id).where(is_given(INPUTS.c.run), is_given(INPUTS.c.dataset))
    return {
        "insert_dataset": (grammar.insert_or_ignore(DATASETS, data), data),
        "dataset": (dataset, ("of_experiment", "of_name", "of_digest")),
        "insert_input": (grammar.insert_or_ignore(INPUTS, used), used),
        "input": (used_input, ("of_run", "of_dataset")),
        "insert_input_tag": (grammar.upsert(INPUT_TAGS), names_of(INPUT_TAGS)),
    }


def _module(texts: Texts, names: dict[str, tuple[str, ...]]) -> str:
    lines = [
        '"""The statements as SQLite takes them; written by `python -m mlcore_store_sql.statements`, not by hand."""',
        "",
        "from mlcore_store_sql.texts import Texts",
        "",
        "TEXTS = Texts(",
    ]
    for name in ("ddl", "ddl_logged_models", "ddl_delivery", "ddl_changes", "ddl_registry", "ddl_history"):
        lines += [f"    {name}=(", *(f"        {text!r}," for text in getattr(texts, name)), "    ),"]
    for name, parameters in names.items():
        lines += [f"    # {', '.join(parameters) or 'no parameters'}", f"    {name}={getattr(texts, name)!r},"]
    return "\n".join([*lines, ")", ""])


def sqlite_module() -> str:
    """Return what `texts_sqlite.py` has to hold."""
    from mlcore_store_sql.dialects import SqliteGrammar

    grammar = SqliteGrammar()
    return _module(compile_texts(grammar), parameter_names(grammar))


if __name__ == "__main__":
    Path(__file__).with_name("texts_sqlite.py").write_text(sqlite_module(), encoding="utf-8")
