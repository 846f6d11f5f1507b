"""The statements of logged models, in SQLAlchemy Core; importing this module imports SQLAlchemy."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select, union_all

from mlcore_store_sql.schema_logged import (
    LOGGED_METRICS,
    LOGGED_MODELS,
    LOGGED_PARAMS,
    LOGGED_TAGS,
    MODEL_INPUTS,
    MODEL_OUTPUTS,
)
from mlcore_store_sql.statement_parts import NULL, Grammar, Statement, is_given, names_of, texts_of, update_by_id

LOGGED_COLUMNS = tuple(LOGGED_MODELS.columns)
MODEL_METRIC_COLUMNS = tuple(LOGGED_METRICS.columns)

# Models that runs read have no step.
READ_MODELS = select(MODEL_INPUTS.c.run, MODEL_INPUTS.c.model_id, NULL.label("step"), MODEL_INPUTS.c.id)
MADE_MODELS = select(MODEL_OUTPUTS.c.run, MODEL_OUTPUTS.c.model_id, MODEL_OUTPUTS.c.step, MODEL_OUTPUTS.c.id)


def logged_model_statements(grammar: Grammar) -> dict[str, Statement]:
    """Return all of them, by name."""
    return {**_of_logged_models(), **_of_contents(grammar), **_of_links(grammar)}


def _of_logged_models() -> dict[str, Statement]:
    models = LOGGED_MODELS
    new = names_of(models, without=("id",))
    changed = ("last_update_time", "status", "lifecycle_stage")
    return {
        "insert_logged_model": (insert(models).values({name: bindparam(name) for name in new}), new),
        "logged_model": (select(*LOGGED_COLUMNS).where(is_given(models.c.model_id)), ("of_model_id",)),
        "update_logged_model": (update_by_id(models, changed), (*changed, "of_id")),
    }


def _of_contents(grammar: Grammar) -> dict[str, Statement]:
    metrics, tags = LOGGED_METRICS, LOGGED_TAGS
    curve = tuple(column for column in metrics.primary_key.columns)
    point = select(metrics.c.step, metrics.c.timestamp, metrics.c.value, metrics.c.special)
    of_model = select(*MODEL_METRIC_COLUMNS).where(is_given(metrics.c.model)).order_by(*curve)
    of_tag = (is_given(tags.c.model), is_given(tags.c.key))
    return {
        "params_of_logged_model": (texts_of(LOGGED_PARAMS), ("of_model",)),
        "insert_logged_model_param": (
            grammar.insert_or_ignore(LOGGED_PARAMS, names_of(LOGGED_PARAMS)),
            names_of(LOGGED_PARAMS),
        ),
        "tags_of_logged_model": (texts_of(tags), ("of_model",)),
        "set_logged_model_tag": (grammar.upsert(tags), names_of(tags)),
        "delete_logged_model_tag": (delete(tags).where(*of_tag), ("of_model", "of_key")),
        "metrics_of_logged_model": (of_model, ("of_model",)),
        "logged_model_metric": (
            point.where(*(is_given(column) for column in curve)),
            tuple(f"of_{column.name}" for column in curve),
        ),
        "set_logged_model_metric": (grammar.upsert(metrics), names_of(metrics)),
    }


def _of_links(grammar: Grammar) -> dict[str, Statement]:
    read, made = MODEL_INPUTS, MODEL_OUTPUTS
    new_read, new_made = names_of(read, without=("id",)), names_of(made, without=("id",))
    both = union_all(READ_MODELS.where(is_given(read.c.run)), MADE_MODELS.where(is_given(made.c.run)))
    return {
        "insert_model_input": (grammar.insert_or_ignore(read, new_read), new_read),
        "insert_model_output": (grammar.insert_or_ignore(made, new_made), new_made),
        "models_of_run": (both, ("of_run", "of_run")),
    }
