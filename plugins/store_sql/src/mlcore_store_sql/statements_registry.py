"""The statements of the registry, in SQLAlchemy Core; importing this module imports SQLAlchemy."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, delete, func, insert, literal_column, select, update

from mlcore_store_sql.schema_registry import MODEL_ALIASES, MODEL_TAGS, MODEL_VERSION_TAGS, MODEL_VERSIONS, MODELS
from mlcore_store_sql.statement_parts import ZERO, Grammar, Statement, is_given, names_of, texts_of, update_by_id

MODEL_COLUMNS: tuple[ColumnElement[Any], ...] = (
    MODELS.c.id,
    MODELS.c.name,
    MODELS.c.description,
    MODELS.c.creation_time,
    MODELS.c.last_update_time,
    MODELS.c.version_count,
)

VERSION_COLUMNS = (
    MODEL_VERSIONS.c.id,
    MODEL_VERSIONS.c.model,
    MODELS.c.name,
    MODEL_VERSIONS.c.version,
    MODEL_VERSIONS.c.source,
    MODEL_VERSIONS.c.creation_time,
    MODEL_VERSIONS.c.last_update_time,
    MODEL_VERSIONS.c.run_id,
    MODEL_VERSIONS.c.run_link,
    MODEL_VERSIONS.c.stage,
    MODEL_VERSIONS.c.status,
    MODEL_VERSIONS.c.status_message,
    MODEL_VERSIONS.c.description,
    MODEL_VERSIONS.c.user_id,
)
VERSION_JOIN = MODEL_VERSIONS.join(MODELS)


def latest_versions() -> Select[Any]:
    """Return the newest version of each stage and model."""
    newer = MODEL_VERSIONS.alias("newer")
    newest = (
        select(func.max(newer.c.version))
        .where(newer.c.model == MODEL_VERSIONS.c.model, newer.c.stage == MODEL_VERSIONS.c.stage)
        .correlate(MODEL_VERSIONS)
        .scalar_subquery()
    )
    return select(*VERSION_COLUMNS).select_from(VERSION_JOIN).where(MODEL_VERSIONS.c.version == newest)


def registry_statements(grammar: Grammar) -> dict[str, Statement]:
    """Return all of them, by name."""
    return {**_of_models(grammar), **_of_model_versions(), **_of_tags(grammar), **_of_aliases(grammar)}


def _of_models(grammar: Grammar) -> dict[str, Statement]:
    new = ("name", "description", "creation_time", "last_update_time")
    changed = ("name", "description", "last_update_time")
    counted = ("last_update_time", "version_count")
    return {
        "insert_model": (grammar.insert_or_ignore(MODELS, new, {"version_count": ZERO}), new),
        "model": (select(*MODEL_COLUMNS).where(is_given(MODELS.c.name)), ("of_name",)),
        "update_model": (update_by_id(MODELS, changed), (*changed, "of_id")),
        "count_version": (update_by_id(MODELS, counted), (*counted, "of_id")),
        "touch_model": (update_by_id(MODELS, ("last_update_time",)), ("last_update_time", "of_id")),
        "delete_model": (delete(MODELS).where(is_given(MODELS.c.id)), ("of_id",)),
    }


def _of_model_versions() -> dict[str, Statement]:
    versions = MODEL_VERSIONS
    new = names_of(versions, without=("id",))
    changed = ("stage", "description", "last_update_time")
    now: dict[str, ColumnElement[Any]] = {"last_update_time": bindparam("last_update_time")}
    archived = {"stage": literal_column("'Archived'"), **now}
    others = (is_given(versions.c.model), is_given(versions.c.stage), versions.c.id != bindparam("but_id"))
    one = (is_given(versions.c.model), is_given(versions.c.version))
    of_model = is_given(versions.c.model)
    return {
        "insert_version": (insert(versions).values({name: bindparam(name) for name in new}), new),
        "version_of_model": (
            select(*VERSION_COLUMNS).select_from(VERSION_JOIN).where(*one),
            ("of_model", "of_version"),
        ),
        "version_by_id": (
            select(*VERSION_COLUMNS).select_from(VERSION_JOIN).where(is_given(versions.c.id)),
            ("of_id",),
        ),
        "latest_versions": (latest_versions().where(of_model), ("of_model",)),
        "update_version": (update_by_id(versions, changed), (*changed, "of_id")),
        "archive_versions": (
            update(versions).values(archived).where(*others),
            ("last_update_time", "of_model", "of_stage", "but_id"),
        ),
        "touch_versions": (update(versions).values(now).where(of_model), ("last_update_time", "of_model")),
        "delete_version": (delete(versions).where(is_given(versions.c.id)), ("of_id",)),
    }


def _of_tags(grammar: Grammar) -> dict[str, Statement]:
    model, version = MODEL_TAGS, MODEL_VERSION_TAGS
    of_model = (is_given(model.c.model), is_given(model.c.key))
    of_version = (is_given(version.c.model_version), is_given(version.c.key))
    return {
        "tags_of_model": (texts_of(model), ("of_model",)),
        "set_model_tag": (grammar.upsert(model), names_of(model)),
        "delete_model_tag": (delete(model).where(*of_model), ("of_model", "of_key")),
        "tags_of_version": (texts_of(version), ("of_model_version",)),
        "set_version_tag": (grammar.upsert(version), names_of(version)),
        "delete_version_tag": (delete(version).where(*of_version), ("of_model_version", "of_key")),
    }


def _of_aliases(grammar: Grammar) -> dict[str, Statement]:
    aliases = MODEL_ALIASES
    one = (is_given(aliases.c.model), is_given(aliases.c.alias))
    numbered = select(aliases.c.alias, MODEL_VERSIONS.c.version, MODEL_VERSIONS.c.id).select_from(
        aliases.join(MODEL_VERSIONS)
    )
    return {
        "aliases_of_model": (numbered.where(is_given(aliases.c.model)).order_by(aliases.c.alias), ("of_model",)),
        "version_of_alias": (select(aliases.c.model_version).where(*one), ("of_model", "of_alias")),
        "set_alias": (grammar.upsert(aliases), names_of(aliases)),
        "delete_alias": (delete(aliases).where(*one), ("of_model", "of_alias")),
    }
