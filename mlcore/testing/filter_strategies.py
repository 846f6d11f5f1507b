"""Random runs, experiments, filters and orders, to test a store's search against the reference evaluator.

```python
@given(runs=run_lists(), tree=run_filters(), order=run_orders())
def test_the_store_answers_as_the_oracle(runs, tree, order):
    with fresh_store() as store:  # the run ids repeat from example to example
        stored = [record(store, run) for run in runs]  # create_run, log_batch, log_inputs, update_run
        wanted = sort_runs([run for run in stored if run_matches(tree, run, summaries[run.info.run_id])], order, summaries)
        found = store.search_runs(RunQuery(experiment_ids, tree, order))
```

Keys and values come from small sets, so that filters hit; the sets hold what stores get wrong: NaN, infinities, -0.0,
negative steps, curves that go back, letter case, quotes, wildcards, line breaks, texts that only look like numbers.
"""

from __future__ import annotations

import math
import sys

from attrs import frozen
from hypothesis import strategies as st

from mlcore.entities import (
    Batch,
    Dataset,
    DatasetInput,
    Experiment,
    InputTag,
    Metric,
    MetricSummary,
    NewRun,
    Param,
    Run,
    RunChange,
    RunData,
    RunInfo,
    RunInputs,
    RunStatus,
    RunTag,
)
from mlcore.entities.filters import And, Comparison, Field, Filter, Not, Or, OrderBy
from mlcore.tracking.summaries import summarize_all
from mlcore.wire.filter_fields import EXPERIMENTS, RUNS, STATS, Vocabulary
from mlcore.wire.filter_values import clamped
from mlcore.wire.stages import STAGES

METRIC_KEYS = ("m", "M", "a b", "loss.min", "val/é")
PARAM_KEYS = ("p", "P", "a b", "lr.max")
TAG_KEYS = ("t", "T", "mlflow.note", "a:b")
MODEL_IDS = tuple(f"m-{digit}{'0' * 30}{digit}" for digit in "09af7c3e")
RUN_IDS = tuple(f"{digit}{'0' * 30}{digit}" for digit in "09af7c3e")
TIMES_MS = (0, 1, 1000, 1_700_000_000_000, 1_700_000_000_001)
NUMBERS = (0.0, -0.0, 1.0, -1.0, 0.5, 1000.0, 1e-300, 5e-324, 1e308, sys.float_info.max, -sys.float_info.max)
_WORDS = ("tree", "Tree", "TREE", "forest", "a%b", "a_b", "a\\b", "a\nb", "it's", 'say "x"', "é", "É", "straße", "日本")
_NUMERALS = ("1", "01", "+1", "1.0", "1e3", "1000", "-1", ".5", "5.")
_NO_NUMERALS = ("nan", "inf", "1e400", " 1", "1 ", "1_0", "0x10", "\u0661", "")
TEXTS = (*_WORDS, *_NUMERALS, *_NO_NUMERALS)
_WILD = ("%", "_", "t%", "T%", "%e", "%E%", "tr_e", "%'%", "%ß%", "1%", "__", "%%", "_%", "_日")
PATTERNS = (*_WILD, "", "a%b", "a_b", "a\\b", "É")


@frozen
class RecordedRun:
    """What to tell a store, in this order: `create_run`, `log_batch`, `log_inputs`, `update_run`."""

    new: NewRun
    batch: Batch
    inputs: tuple[DatasetInput, ...]
    change: RunChange

    def run(self, artifact_uri: str = "file:///artifacts") -> Run:
        """Return the run that the store then has; the place of its artifacts is the store's choice."""
        info = RunInfo(
            run_id=self.new.run_id,
            experiment_id=self.new.experiment_id,
            run_name=self.new.run_name,
            user_id=self.new.user_id,
            status=self.change.status or RunStatus.RUNNING,
            start_time=self.new.start_time,
            end_time=self.change.end_time,
            artifact_uri=artifact_uri,
        )
        data = RunData(
            latest=tuple(summary.last for summary in self.summaries().values()),
            params={param.key: param.value for param in self.batch.params},
            tags={**{tag.key: tag.value for tag in self.batch.tags}, "mlflow.runName": self.new.run_name},
        )
        return Run(info, data, RunInputs(self.inputs))

    def summaries(self) -> dict[str, MetricSummary]:
        """Return the summary of each metric by key."""
        return summarize_all(self.batch.metrics)


def run_lists(max_size: int = 6, experiment_id: str = "1") -> st.SearchStrategy[list[RecordedRun]]:
    """Make lists of runs with different run ids, all of one experiment."""
    return st.lists(recorded_runs(experiment_id), max_size=max_size, unique_by=lambda run: run.new.run_id)


def recorded_runs(experiment_id: str = "1") -> st.SearchStrategy[RecordedRun]:
    """Make single runs, each with few metrics, params, tags and datasets."""
    params = st.dictionaries(st.sampled_from(PARAM_KEYS), any_texts())
    tags = st.dictionaries(st.sampled_from(TAG_KEYS), any_texts())
    return st.builds(
        RecordedRun,
        new=st.builds(
            NewRun,
            experiment_id=st.just(experiment_id),
            run_id=st.sampled_from(RUN_IDS),
            run_name=any_texts().filter(bool),
            user_id=any_texts(),
            start_time=st.sampled_from(TIMES_MS),
        ),
        batch=st.builds(
            Batch,
            metrics=_points(),
            params=params.map(lambda found: tuple(Param(key, value) for key, value in found.items())),
            tags=tags.map(lambda found: tuple(RunTag(key, value) for key, value in found.items())),
        ),
        inputs=_inputs(),
        change=st.builds(RunChange, status=st.sampled_from(RunStatus), end_time=st.none() | st.sampled_from(TIMES_MS)),
    )


def experiment_lists(max_size: int = 6) -> st.SearchStrategy[list[Experiment]]:
    """Make lists of experiments with different names and ids; a store chooses ids and times of its own."""
    one = st.builds(
        Experiment,
        experiment_id=st.sampled_from(("0", "1", "2", "10", "100", "02", "x1")),
        name=any_texts().filter(bool),
        artifact_location=st.just("file:///artifacts"),
        creation_time=st.none() | st.sampled_from(TIMES_MS),
        last_update_time=st.none() | st.sampled_from(TIMES_MS),
        tags=st.dictionaries(st.sampled_from(TAG_KEYS), any_texts()),
    )
    return st.lists(one, max_size=max_size, unique_by=(lambda each: each.experiment_id, lambda each: each.name))


def run_filters(depth: int = 3) -> st.SearchStrategy[Filter]:
    """Make filters of runs; *depth* is how many AND, OR and NOT are inside each other at most."""
    return filters_of(_run_fields(), RUNS, depth)


def experiment_filters(depth: int = 3) -> st.SearchStrategy[Filter]:
    """Make filters of experiments, as `run_filters`."""
    return filters_of(_experiment_fields(), EXPERIMENTS, depth)


def run_orders(max_size: int = 3) -> st.SearchStrategy[tuple[OrderBy, ...]]:
    """Make orders of runs in which no field comes twice."""
    return orders_of(_run_fields().filter(lambda found: found.entity in RUNS.sortable), max_size)


def experiment_orders(max_size: int = 3) -> st.SearchStrategy[tuple[OrderBy, ...]]:
    """Make orders of experiments in which no field comes twice."""
    return orders_of(_experiment_fields().filter(lambda found: found.entity in EXPERIMENTS.sortable), max_size)


def _letters() -> st.SearchStrategy[str]:
    # No NUL, which PostgreSQL refuses, and no lone surrogates, which have no UTF-8.
    return st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4)


def any_texts() -> st.SearchStrategy[str]:
    """Make texts, most of them out of `TEXTS`."""
    return st.sampled_from(TEXTS) | _letters()


def _points() -> st.SearchStrategy[tuple[Metric, ...]]:
    # One value per step and timestamp: which of several is the last one is not worth a store's trouble when one is NaN.
    one = st.builds(
        Metric,
        key=st.sampled_from(METRIC_KEYS),
        value=st.sampled_from((*NUMBERS, math.nan, math.nan, math.inf, -math.inf)) | st.floats(width=64),
        timestamp=st.sampled_from(TIMES_MS),
        step=st.sampled_from((0, 1, 2, -1, 2**40)),
    )
    return st.lists(one, max_size=8, unique_by=lambda point: (point.key, point.step, point.timestamp)).map(tuple)


def _inputs() -> st.SearchStrategy[tuple[DatasetInput, ...]]:
    names = st.sampled_from(("iris", "Iris", "wine", "it's"))
    contexts = st.sampled_from(
        ((), (InputTag("mlflow.data.context", "train"),), (InputTag("mlflow.data.context", "eval"),))
    )
    one = st.builds(
        DatasetInput,
        dataset=st.builds(Dataset, name=names, digest=st.sampled_from(("d1", "d2"))),
        tags=contexts,
    )
    # A store keeps each dataset once per run, so one name and digest has one context.
    return st.lists(one, max_size=3, unique_by=lambda use: (use.dataset.name, use.dataset.digest)).map(tuple)


def _run_fields() -> st.SearchStrategy[Field]:
    return st.one_of(
        st.builds(Field, st.just("metric"), st.sampled_from((*METRIC_KEYS, "absent")), st.sampled_from(STATS)),
        st.builds(Field, st.just("param"), st.sampled_from((*PARAM_KEYS, "absent"))),
        st.builds(Field, st.just("tag"), st.sampled_from((*TAG_KEYS, "mlflow.runName"))),
        st.builds(Field, st.just("attribute"), st.sampled_from(sorted(RUNS.attributes))),
        st.builds(Field, st.just("dataset"), st.sampled_from(RUNS.dataset)),
    )


def _experiment_fields() -> st.SearchStrategy[Field]:
    return st.one_of(
        st.builds(Field, st.just("tag"), st.sampled_from((*TAG_KEYS, "absent"))),
        st.builds(Field, st.just("attribute"), st.sampled_from(sorted(EXPERIMENTS.attributes))),
    )


def filters_of(fields: st.SearchStrategy[Field], vocabulary: Vocabulary, depth: int) -> st.SearchStrategy[Filter]:
    """Make filters over *fields* of a vocabulary."""
    tests = fields.flatmap(lambda found: _comparisons(found, vocabulary))
    if depth < 1:
        return tests
    inner = filters_of(fields, vocabulary, depth - 1)
    parts = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(tests, st.builds(And, parts), st.builds(Or, parts), st.builds(Not, inner))


def _comparisons(found: Field, vocabulary: Vocabulary) -> st.SearchStrategy[Comparison]:
    rule = vocabulary.rule(found)
    quoted = _values(found).filter(lambda text: not ("'" in text and '"' in text))
    kinds: list[st.SearchStrategy[Comparison]] = []
    for op in rule.text_ops:
        if op in ("IN", "NOT IN"):
            values: st.SearchStrategy[object] = st.lists(quoted, min_size=1, max_size=3).map(tuple)
        elif op in ("LIKE", "ILIKE"):
            values = st.sampled_from(PATTERNS) | st.text("aAeEé1%_\n", max_size=5)
        else:
            values = quoted
        kinds.append(st.builds(Comparison, st.just(found), st.just(op), values))
    if rule.number_ops:
        kinds.append(st.builds(Comparison, st.just(found), st.sampled_from(rule.number_ops), _numbers(found)))
    if rule.null_ops:
        kinds.append(st.builds(Comparison, st.just(found), st.sampled_from(rule.null_ops)))
    return st.one_of(kinds)


def _numbers(found: Field) -> st.SearchStrategy[float]:
    if found.key == "version_number":
        return st.sampled_from((0.0, 1.0, 2.0, 2.5, 10.0))
    if found.entity == "attribute":
        return st.sampled_from([*(float(time) for time in TIMES_MS), 0.5, 999.5, -1.0])
    return st.sampled_from(NUMBERS) | st.floats(allow_nan=False).map(clamped)


def _values(found: Field) -> st.SearchStrategy[str]:
    special = {
        "run_id": RUN_IDS,
        "status": tuple(RunStatus),
        "experiment_id": ("0", "1", "10", "x1"),
        "name": (*TEXTS, "iris", "wine"),
        "digest": ("d1", "d2"),
        "context": ("train", "eval"),
        "current_stage": STAGES,
        "model_id": MODEL_IDS,
        "source_run_id": RUN_IDS,
    }
    if found.entity in ("attribute", "dataset") and found.key in special:
        return st.sampled_from(special[found.key]).map(str)
    return any_texts()


def orders_of(fields: st.SearchStrategy[Field], max_size: int) -> st.SearchStrategy[tuple[OrderBy, ...]]:
    """Make orders over *fields*, in which no field comes twice."""
    one = st.builds(OrderBy, fields, st.booleans())
    return st.lists(one, max_size=max_size, unique_by=lambda order: order.field).map(tuple)
