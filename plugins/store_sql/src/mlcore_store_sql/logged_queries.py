"""The statements of searches for logged models; importing this module imports SQLAlchemy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import FromClause, Select, String, and_, case, cast, func, literal, or_, select, true

from mlcore.entities import LoggedModelQuery
from mlcore.entities.filters import Comparison, Field
from mlcore_store_sql.compiling import Compiler
from mlcore_store_sql.curves import NAN
from mlcore_store_sql.dialects import SqliteGrammar
from mlcore_store_sql.filters import NULLS, Column, Target, Truth, compare_number, owned, param, text, text_of_order
from mlcore_store_sql.part import ACTIVE
from mlcore_store_sql.reading import Compiled
from mlcore_store_sql.schema_logged import LOGGED_METRICS, LOGGED_MODELS, LOGGED_PARAMS, LOGGED_TAGS
from mlcore_store_sql.statements_logged import LOGGED_COLUMNS, MODEL_METRIC_COLUMNS

Datasets = tuple[tuple[str, str], ...]


class LoggedQueries(Compiler):
    """Makes the statements of searches for logged models."""

    def __init__(self, grammar: SqliteGrammar, artifact_root: str) -> None:
        """Search what keeps artifacts below *artifact_root*, unless a location is stored."""
        super().__init__(grammar)
        self._grammar = grammar
        self._artifact_root = artifact_root

    def models(self, query: LoggedModelQuery, experiments: Sequence[int], skip: int) -> Compiled:
        """Return the statement for the rows of a page of logged models, and one more."""
        models = LOGGED_MODELS
        statement: Select[Any] = select(*LOGGED_COLUMNS).where(
            models.c.experiment.in_(experiments), models.c.lifecycle_stage == ACTIVE
        )
        target = _target(self._grammar, self._artifact_root, query.datasets)
        statement = self.filtered(statement, target, query.filter, query.order_by)
        order = (models.c.creation_time.desc(), models.c.model_id)
        return self.compiled(statement.order_by(*order).limit(query.max_results + 1).offset(skip))

    def params(self, models: Sequence[int]) -> Iterator[Compiled]:
        """Return the statements for the params of many models."""
        table = LOGGED_PARAMS
        statement = select(table.c.model, table.c.key, table.c.value).order_by(table.c.key)
        return self.of_many("params", statement, table.c.model, models)

    def tags(self, models: Sequence[int]) -> Iterator[Compiled]:
        """Return the statements for the tags of many models."""
        return self.of_many(
            "tags", select(*LOGGED_TAGS.columns).order_by(LOGGED_TAGS.c.key), LOGGED_TAGS.c.model, models
        )

    def metrics(self, models: Sequence[int]) -> Iterator[Compiled]:
        """Return the statements for what was measured on many models."""
        curve = tuple(LOGGED_METRICS.primary_key.columns)
        return self.of_many("metrics", select(*MODEL_METRIC_COLUMNS).order_by(*curve), LOGGED_METRICS.c.model, models)


def _target(grammar: SqliteGrammar, artifact_root: str, datasets: Datasets) -> Target:
    models = LOGGED_MODELS
    experiment = cast(models.c.experiment, String)
    beside = literal(f"{artifact_root}/") + experiment + "/models/" + models.c.model_id + "/artifacts"
    attributes: dict[str, Column] = {
        "name": models.c.name,
        "model_id": models.c.model_id,
        "model_type": models.c.model_type,
        "source_run_id": models.c.source_run_id,
        "experiment_id": experiment,
        "status": models.c.status,
        "artifact_uri": func.coalesce(models.c.artifact_uri, beside),
        "creation_timestamp": models.c.creation_time,
        "last_updated_timestamp": models.c.last_update_time,
    }
    comparisons = {
        "metric": _metric(datasets),
        "param": param(LOGGED_PARAMS, models),
        "tag": text(LOGGED_TAGS, models),
    }
    values = {
        "metric": _metric_of_order(datasets),
        "param": text_of_order(LOGGED_PARAMS),
        "tag": text_of_order(LOGGED_TAGS),
    }
    return Target(models, attributes, grammar, comparisons, values)


def _measured_with(datasets: Datasets) -> Truth:
    metrics = LOGGED_METRICS
    return or_(
        *(
            and_(metrics.c.dataset_name == name, metrics.c.dataset_digest == digest if digest else true())
            for name, digest in datasets
        )
    )


def _wanted(key: str, datasets: Datasets) -> list[Truth]:
    has_key: Truth = LOGGED_METRICS.c.key == key
    return [has_key, _measured_with(datasets)] if datasets else [has_key]


def _metric(datasets: Datasets) -> Callable[[Comparison, SqliteGrammar], Truth]:
    metrics = LOGGED_METRICS

    def comparison(test: Comparison, grammar: SqliteGrammar) -> Truth:
        wanted = _wanted(test.field.key, datasets)
        if test.op not in NULLS:
            wanted.append(compare_number(metrics.c.value, metrics.c.special == NAN, test, grammar))
        return owned(metrics, LOGGED_MODELS, test, *wanted, indexed=False)

    return comparison


def _metric_of_order(datasets: Datasets) -> Callable[[Field], FromClause]:
    metrics = LOGGED_METRICS

    def newest(name: Field) -> FromClause:
        is_nan = case((metrics.c.special == NAN, 1), else_=0)
        age = (metrics.c.timestamp.desc(), metrics.c.step.desc(), is_nan, metrics.c.value.desc())
        rank = func.row_number().over(partition_by=metrics.c.model, order_by=age)
        columns = (metrics.c.model.label("owner"), metrics.c.value, is_nan.label("special"), rank.label("rank"))
        ranked = select(*columns).where(*_wanted(name.key, datasets)).subquery()
        first = select(ranked.c.owner, ranked.c.value, ranked.c.special).where(ranked.c.rank == 1)
        return first.subquery()

    return newest
